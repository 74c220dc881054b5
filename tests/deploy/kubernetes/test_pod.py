"""The pod of a night, really run: by podman from the manifests, against a control plane."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.image.engine import Engine, podman
from tests.deploy.kubernetes.manifests import NIGHTLY, Resource, built, pod_template

pytestmark = [pytest.mark.needs("kubectl", "podman", "runc"), pytest.mark.timeout(900)]

POD = "sweeper-nightly-test"
CONTAINER = f"{POD}-sweeper"
TRIALS = 4


@contextmanager
def _control_plane() -> Iterator[Mapping[str, str]]:
    """Serve Run:ai's API on loopback; yield what a client puts into its environment."""
    with tempfile.TemporaryDirectory(prefix="swp-") as folder:
        simulation = Path(folder) / "simulation.yaml"
        simulation.write_text("seed: 1\nstartup: 0\nduration: {kind: fixed, seconds: 1}\n")
        serve = ["local", "serve", "--listen", "127.0.0.1:0", "--gpus", "16", "--json"]
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "sweeper", *serve, "--state-dir", f"{folder}/plane"),
                *("--runtime", "simulated", "--simulation", str(simulation)),
            ],
            env={**os.environ, "XDG_RUNTIME_DIR": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert server.stdout is not None
            yield json.loads(server.stdout.readline())["environment"]
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=60)


def _for_podman(given: Mapping[str, str], secrets: Path) -> str:
    """Return the pod of a night with what it mounts, its settings those of a control plane here.

    `secrets` is a folder with what stands in the secret, for podman knows no `defaultMode`.
    It is on the network of this machine, where the control plane is; probes are the kubelet's.
    """
    template: Any = json.loads(json.dumps(pod_template(NIGHTLY)))
    template["spec"] |= {"hostNetwork": True}
    (container,) = template["spec"]["containers"]
    container |= {"image": "localhost/sweeper:test", "imagePullPolicy": "Never"}
    for absent in ("ports", "startupProbe", "livenessProbe", "readinessProbe"):
        del container[absent]
    for volume in template["spec"]["volumes"]:
        if volume.pop("secret", None):
            volume["hostPath"] = {"path": str(secrets), "type": "Directory"}
    pod = {"apiVersion": "v1", "kind": "Pod", **template}
    pod["metadata"]["name"] = POD
    documents = [*_mounted(given), pod]
    return "---\n".join(json.dumps(document) + "\n" for document in documents)


def _kept_secret(given: Mapping[str, str], folder: Path) -> Path:
    """Return a folder with the secret, which the pod's user alone can read."""
    user = pod_template(NIGHTLY)["spec"]["securityContext"]["runAsUser"]
    file = folder / "client-secret"
    file.write_text(given["RUNAI_CLIENT_SECRET"], encoding="utf-8")
    file.chmod(0o400)
    for path in (file, folder):
        os.chown(path, user, user)
    return folder


def _mounted(given: Mapping[str, str]) -> Iterator[Resource]:
    """Yield the settings and the sweep of a night; podman makes the volume that it claims."""
    for resource in built(NIGHTLY):
        name = resource["metadata"]["name"]
        if name.startswith("sweeper-settings"):
            known = {key: given[key] for key in resource["data"]}
            yield {**resource, "data": known}
        elif name.startswith("sweeper-nightly-sweep"):
            text = resource["data"]["nightly.yaml"].replace("run_cap: 100", f"run_cap: {TRIALS}")
            yield {**resource, "data": {"nightly.yaml": text}}


@dataclass(frozen=True, kw_only=True)
class Night:
    """How one start of a night ended, and what podman knows of its container."""

    code: int
    told: str
    container: Mapping[str, Any]


def _a_night(engine: Engine, manifest: Path) -> Night:
    """Run the pod to its end."""
    engine.call("play", "kube", "--replace", str(manifest))
    code = int(engine.call("wait", CONTAINER).stdout)
    told = engine.call("logs", CONTAINER)
    (found,) = json.loads(engine.call("container", "inspect", CONTAINER).stdout)
    return Night(code=code, told=told.stdout + told.stderr, container=found)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Night, Night]:
    """Two starts of the same night, one after the other, on the same volume."""
    engine = podman()  # docker cannot play pods
    engine.build()
    folder = tmp_path_factory.mktemp("night")
    (folder / "secrets").mkdir()
    manifest = folder / "night.yaml"
    with _control_plane() as given:
        secrets = _kept_secret(given, folder / "secrets")
        manifest.write_text(_for_podman(given, secrets), encoding="utf-8")
        try:
            return _a_night(engine, manifest), _a_night(engine, manifest)
        finally:
            engine.call("play", "kube", "--down", str(manifest), check=False)
            engine.call("volume", "rm", "--force", "sweeper-nightly-state", check=False)


def test_a_night_trains_every_trial(nights: tuple[Night, Night]) -> None:
    first, _ = nights

    assert first.code == 0, first.told
    assert f"{TRIALS} completed" in first.told
    assert first.told.count("submitting -> active") == TRIALS


def test_the_same_night_again_answers_at_once_and_trains_nothing(
    nights: tuple[Night, Night],
) -> None:
    _, again = nights

    assert again.code == 0, again.told
    assert f"{TRIALS} completed" in again.told
    assert "active" not in again.told


def test_its_container_is_as_hard_as_the_manifest_says(nights: tuple[Night, Night]) -> None:
    for night in nights:
        host = night.container["HostConfig"]

        assert host["ReadonlyRootfs"]
        assert host["Memory"] == 512 * 1024 * 1024
        assert night.container["Config"]["User"] == "10001:10001"
        assert night.container["EffectiveCaps"] in (None, [])
