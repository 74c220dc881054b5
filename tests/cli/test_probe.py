import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeper.bootstrap.probe_plane import ProbeOptions, ProbeReport
from tests.cli.conftest import Run

Asked = list[ProbeOptions]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A probe that finds one thing missing; holds what was asked for."""
    options: Asked = []

    async def probe_plane(given: ProbeOptions, say: Callable[[str], None]) -> ProbeReport:
        options.append(given)
        say("missing  create        no\x1b[2J")
        return ProbeReport(code=1, found={"ok": False}, closing="Ask an administrator")

    monkeypatch.setattr("sweeper.bootstrap.probe_plane.probe_plane", probe_plane)
    return options


def test_a_probe_without_an_address_is_a_matter_of_settings(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("probe") == 2
    assert "RUNAI_BASE_URL" in capsys.readouterr().err


def test_flags_reach_the_probe(sweeper: Run, asked: Asked, tmp_path: Path) -> None:
    flags = ("--project", "p", "--cluster", "c", "--image", "i", "--keep", "--local")

    sweeper("probe", *flags, "--state-dir", tmp_path)

    (given,) = asked
    assert (given.project, given.cluster, given.image) == ("p", "c", "i")
    assert given.keep
    assert given.local
    assert given.settings.state_dir == tmp_path


@pytest.mark.usefixtures("asked")
def test_a_person_reads_a_line_for_each_step_and_what_to_do(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("probe") == 1

    assert capsys.readouterr().out.splitlines() == [
        "missing  create        no\\x1b[2J",
        "Ask an administrator",
    ]


@pytest.mark.usefixtures("asked")
def test_a_machine_reads_one_object(sweeper: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert sweeper("probe", "--json") == 1

    assert json.loads(capsys.readouterr().out) == {"ok": False}
