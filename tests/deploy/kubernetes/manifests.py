"""The manifests as kustomize puts them together, and what is in them."""

import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML

Resource: TypeAlias = Mapping[str, Any]

MANIFESTS = Path(__file__).parents[3] / "deploy" / "kubernetes"
NIGHTLY, SERVICE, MONITORING = "nightly", "service", "monitoring"
OURS = (NIGHTLY, SERVICE)
"""What runs sweeper; the rest watches it."""

SWEEP_FILES = (MANIFESTS / NIGHTLY / "nightly.yaml", MANIFESTS / SERVICE / "sweep.yaml")


@cache
def built_text(name: str) -> str:
    """Return what `kubectl apply -k deploy/kubernetes/NAME` would send."""
    command = ["kubectl", "kustomize", str(MANIFESTS / name)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def built(name: str) -> Sequence[Resource]:
    """Return the resources of one kustomization."""
    return list(YAML(typ="safe").load_all(built_text(name)))


def of_kind(name: str, kind: str) -> Resource:
    """Return the one resource of a kind."""
    (found,) = (resource for resource in built(name) if resource["kind"] == kind)
    return found


def pod_template(name: str) -> Resource:
    """Return the pod template of what runs sweeper."""
    if name == SERVICE:
        owner = of_kind(name, "Deployment")["spec"]
    else:
        owner = of_kind(name, "CronJob")["spec"]["jobTemplate"]["spec"]
    template: Resource = owner["template"]
    return template


def container(name: str) -> Resource:
    """Return the one container of what runs sweeper."""
    (found,) = pod_template(name)["spec"]["containers"]
    checked: Resource = found
    return checked


def variables(name: str) -> Mapping[str, str]:
    """Return the environment that the manifests give sweeper, settings included."""
    settings = next(
        resource["data"]
        for resource in built(name)
        if resource["kind"] == "ConfigMap"
        and resource["metadata"]["name"].startswith("sweeper-settings")
    )
    own = {each["name"]: each["value"] for each in container(name)["env"]}
    return {**settings, **own}


def flag(name: str, option: str) -> str:
    """Return the value of an option of the sweeper that runs."""
    (value,) = (
        argument.split("=", 1)[1]
        for argument in container(name)["args"]
        if argument.startswith(f"{option}=")
    )
    return str(value)
