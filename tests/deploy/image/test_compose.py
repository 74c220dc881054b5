"""The compose file fits its specification, and what it mounts is there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from compose_spec import PyCompose
from ruamel.yaml import YAML

from tests.deploy.image.engine import ROOT

_DEPLOY = ROOT / "deploy"
_FILE = _DEPLOY / "compose.yaml"
_PROMETHEUS = _DEPLOY / "compose" / "prometheus.yaml"


def _filled_in() -> str:
    """Return the file as it is without any variable set: each then has its default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", _FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services by name."""
    found: dict[str, Any] = YAML(typ="safe").load(_filled_in())["services"]
    return found


def _mounts(service: dict[str, Any]) -> dict[str, Path]:
    """Return what is mounted of this tree, by its place in the container."""
    parts = [volume.split(":") for volume in service["volumes"]]
    return {place: _DEPLOY / source for source, place, *_ in parts if source.startswith(".")}


def test_the_file_fits_the_compose_specification() -> None:
    assert PyCompose.from_yaml(_filled_in()).service_names() == ["sweeper", "prometheus", "grafana"]


def test_a_fault_in_the_file_would_be_found() -> None:
    with pytest.raises(ValueError, match="restrat"):
        PyCompose.from_yaml(_filled_in().replace("restart:", "restrat:", 1))


def test_what_is_mounted_is_there_and_cannot_be_written_to(services: dict[str, Any]) -> None:
    sources = [source for service in services.values() for source in _mounts(service).values()]

    assert [source for source in sources if not source.exists()] == []
    assert len(sources) == 6
    assert all(
        volume.endswith(":ro")
        for service in services.values()
        for volume in service["volumes"]
        if volume.startswith(".")
    )


def test_images_of_others_have_a_version(services: dict[str, Any]) -> None:
    images = [service["image"] for service in services.values() if "build" not in service]

    assert all(re.search(r":v?\d+\.\d+\.\d+$", image) for image in images)


def test_nothing_is_reachable_from_other_machines(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_grafana_begins_with_a_board_that_is_mounted(services: dict[str, Any]) -> None:
    grafana = services["grafana"]
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])

    assert (_mounts(grafana)[str(home.parent)] / home.name).is_file()


def test_grafanas_provisioning_finds_its_variables_and_folders(services: dict[str, Any]) -> None:
    grafana = services["grafana"]
    mounts = _mounts(grafana)
    provisioned = [
        file.read_text(encoding="utf-8")
        for place, source in mounts.items()
        if place.startswith("/etc/grafana/provisioning")
        for file in source.iterdir()
    ]

    asked = {name for text in provisioned for name in re.findall(r"\$\{?(\w+)", text)}
    folders = [folder for text in provisioned for folder in re.findall(r"path: (/\S+)", text)]
    assert asked - {"__rate_interval"} <= set(grafana["environment"])
    assert folders
    assert set(folders) <= set(mounts)


def test_prometheus_scrapes_the_service_at_the_port_of_the_image(services: dict[str, Any]) -> None:
    scraped = YAML(typ="safe").load(_PROMETHEUS)["scrape_configs"][0]["static_configs"][0]

    host, port = scraped["targets"][0].split(":")
    assert host in services
    assert f"SWEEPER_LISTEN=0.0.0.0:{port}" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.needs("promtool")
def test_promtool_accepts_the_settings_of_prometheus_with_the_rules(
    services: dict[str, Any], tmp_path: Path
) -> None:
    text = _PROMETHEUS.read_text(encoding="utf-8")
    for place, source in _mounts(services["prometheus"]).items():
        text = text.replace(f"{place}/", f"{source.resolve()}/")
    here = tmp_path / "prometheus.yaml"
    here.write_text(text, encoding="utf-8")

    done = subprocess.run(
        ["promtool", "check", "config", str(here)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rule files found" in done.stdout


def test_the_command_of_the_service_is_one_that_the_command_line_takes(
    services: dict[str, Any],
) -> None:
    words = services["sweeper"]["command"]

    done = subprocess.run(
        [str(Path(sys.executable).with_name("sweeper")), *words, "--max-runtime", "nonsense"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )

    assert (done.returncode, "max-runtime" in done.stderr) == (2, True), shlex.join(words)
