"""What the README gives to be copied builds, and changes what it says."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.deploy.kubernetes.manifests import MANIFESTS, NIGHTLY, Resource, built

pytestmark = pytest.mark.needs("kubectl")

ROOT = MANIFESTS.parents[1]
COPIED = re.compile(r"^```yaml\n# kustomization\.yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def resources(tmp_path: Path) -> Sequence[Resource]:
    """What the README's kustomization makes, in a folder as it describes."""
    copied = COPIED.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert copied is not None
    (tmp_path / "kustomization.yaml").write_text(copied[1], encoding="utf-8")
    (tmp_path / "nightly.yaml").write_text("name: mine\n", encoding="utf-8")
    (tmp_path / "sweeper").symlink_to(ROOT)
    command = ["kubectl", "kustomize", str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return list(YAML(typ="safe").load_all(told))


def test_a_kustomization_of_ones_own_adds_and_loses_nothing(resources: Sequence[Resource]) -> None:
    kinds = sorted(each["kind"] for each in resources)

    assert kinds == sorted(each["kind"] for each in built(NIGHTLY))


def test_it_brings_ones_own_sweep_settings_and_image(resources: Sequence[Resource]) -> None:
    data = [each["data"] for each in resources if each["kind"] == "ConfigMap"]
    (job,) = (
        each["spec"]["jobTemplate"]["spec"] for each in resources if "CronJob" in each["kind"]
    )
    (container,) = job["template"]["spec"]["containers"]

    assert {"nightly.yaml": "name: mine\n"} in data
    assert any(each.get("RUNAI_BASE_URL") == "https://mycompany.run.ai" for each in data)
    assert container["image"] == "registry.example.com/sweeper:0.1.0"
