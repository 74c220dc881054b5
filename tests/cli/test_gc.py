import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.bootstrap.collecting import Collection, Orphan
from sweeper.bootstrap.folders import SweepFolder
from sweeper.settings import Settings
from tests.cli.conftest import Run

FOLDER = SweepFolder(name="demo", path=Path("/nowhere"), sockets=Path("/nowhere"))
ORPHAN = Orphan(
    workload_id="id-7", name="demo-7-1", trial=7, attempt=1, phase="Running", created_at=None
)
FOUND = Collection(folder=FOLDER, orphans=(ORPHAN,))


class Orphans:
    """What is found, and what becomes of it; remembers what was to be deleted."""

    def __init__(self) -> None:
        self.found = [FOUND]
        self.outcome = "deleted"
        self.trouble = ""
        self.deleted: list[Collection] = []

    async def find(self, settings: Settings, sweep: str | None) -> Sequence[Collection]:
        return self.found

    async def delete(self, settings: Settings, found: Collection) -> Collection:
        self.deleted.append(found)
        done = tuple(replace(one, outcome=self.outcome) for one in found.orphans)
        return replace(found, orphans=done, trouble=self.trouble)


@pytest.fixture
def orphans(monkeypatch: pytest.MonkeyPatch) -> Orphans:
    made = Orphans()
    monkeypatch.setattr("sweeper.bootstrap.collecting.find_orphans", made.find)
    monkeypatch.setattr("sweeper.bootstrap.collecting.delete_orphans", made.delete)
    return made


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, *, answer: bool) -> list[str]:
    asked: list[str] = []

    def confirm(question: str) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr("sweeper.cli.gc.typer.confirm", confirm)
    monkeypatch.setattr("sweeper.cli.gc.sys.stdin.isatty", lambda: True, raising=False)
    return asked


def test_away_from_a_terminal_nothing_is_deleted_unasked(
    sweeper: Run, orphans: Orphans, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("gc") == 1

    told = capsys.readouterr()
    assert "demo: demo-7-1  id-7  Running  created at an unknown time" in told.out
    assert "give --yes" in told.err
    assert orphans.deleted == []


def test_yes_deletes_what_is_found(
    sweeper: Run, orphans: Orphans, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("gc", "demo", "--yes") == 0
    assert orphans.deleted == [FOUND]
    assert "demo-7-1: deleted" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 1)])
def test_a_person_is_asked_on_a_terminal(
    sweeper: Run, orphans: Orphans, monkeypatch: pytest.MonkeyPatch, answer: bool, code: int
) -> None:
    asked = on_a_terminal(monkeypatch, answer=answer)

    assert sweeper("gc") == code
    assert asked == ["Delete it?"]
    assert bool(orphans.deleted) is answer


def test_what_cannot_be_deleted_is_left(
    sweeper: Run, orphans: Orphans, capsys: pytest.CaptureFixture[str]
) -> None:
    orphans.outcome, orphans.trouble = "", "no network"

    assert sweeper("gc", "--yes") == 1
    assert "demo: not deleted: no network" in capsys.readouterr().out


def test_a_machine_reads_one_value_and_is_not_asked(
    sweeper: Run, orphans: Orphans, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("gc", "--json") == 1

    (one,) = json.loads(capsys.readouterr().out)
    assert (one["sweep"], one["left"], one["orphans"][0]["workload_id"]) == ("demo", 1, "id-7")
    assert orphans.deleted == []


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        ([], 0, "no orphans: every training"),
        ([Collection(folder=FOLDER, skipped="no use")], 0, "demo: skipped: no use"),
        ([Collection(folder=FOLDER, trouble="503")], 1, "could not be looked through: 503"),
    ],
)
def test_what_was_not_found_is_told(
    sweeper: Run,
    orphans: Orphans,
    capsys: pytest.CaptureFixture[str],
    found: list[Collection],
    code: int,
    words: str,
) -> None:
    orphans.found = found

    assert sweeper("gc") == code
    assert words in capsys.readouterr().out
