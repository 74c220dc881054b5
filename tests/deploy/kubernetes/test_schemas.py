"""Software of others judges the manifests: schemas of Kubernetes and of the operator, checkov."""

import copy
import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import kubernetes_validate
import pytest

from tests.deploy.kubernetes.explained import EXPLAINED
from tests.deploy.kubernetes.manifests import (
    MANIFESTS,
    MONITORING,
    OURS,
    Resource,
    built,
    built_text,
    of_kind,
)

pytestmark = pytest.mark.needs("kubectl")

VERSIONS = [f"1.{minor}" for minor in range(27, 38)]
OPERATORS = "monitoring.coreos.com/v1"
JUDGES = MANIFESTS.parents[1] / ".venv-manifests" / "bin"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [*OURS, MONITORING])
def test_every_resource_is_valid_for_every_version_since_1_27(name: str, version: str) -> None:
    judged = [
        kubernetes_validate.validate(resource, version, strict=True)
        for resource in built(name)
        if resource["apiVersion"] != OPERATORS
    ]

    assert len(judged) >= 3


def test_a_field_that_there_is_not_would_be_found() -> None:
    wrong = copy.deepcopy(dict(of_kind("nightly", "CronJob")))
    wrong["spec"]["concurencyPolicy"] = "Forbid"

    with pytest.raises(kubernetes_validate.ValidationError, match="concurencyPolicy"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def _read_back(resources: Sequence[Resource]) -> object:
    """Return what the models of the Prometheus operator take of its resources."""
    told = subprocess.run(
        [JUDGES / "python", Path(__file__).with_name("read_back.py")],
        input=json.dumps(resources),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return json.loads(told)


def test_the_operator_knows_every_field_of_what_watches_sweeper() -> None:
    resources = [each for each in built(MONITORING) if each["apiVersion"] == OPERATORS]

    assert {each["kind"] for each in resources} == {
        "PodMonitor",
        "PrometheusRule",
        "ServiceMonitor",
    }
    assert _read_back(resources) == resources


def test_a_field_that_the_operator_does_not_know_would_be_found() -> None:
    wrong = copy.deepcopy(dict(of_kind(MONITORING, "ServiceMonitor")))
    wrong["spec"]["endpoints"][0]["intervall"] = "15s"

    assert _read_back([wrong]) != [wrong]


def _findings(folder: Path) -> Iterator[str]:
    for name in OURS:
        (folder / f"{name}.yaml").write_text(built_text(name), encoding="utf-8")
    told = subprocess.run(
        [
            JUDGES / "checkov",
            "-d",
            folder,
            "--framework",
            "kubernetes",
            "-o",
            "json",
            "--skip-download",
        ],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    for check in json.loads(told)["results"]["failed_checks"]:
        yield str(check["check_id"])


def test_checkov_finds_nothing_but_what_is_explained(tmp_path: Path) -> None:
    assert set(_findings(tmp_path)) == EXPLAINED.keys()
