import json
from datetime import datetime
from pathlib import Path

import pytest

from sweeper.bootstrap.folders import SweepFolder
from sweeper.bootstrap.rebuilding import RebuildOptions, Survey
from sweeper.domain.change import Change
from tests.cli.conftest import Run
from tests.support.builders import a_sweep, a_trial

FOLDER = SweepFolder(name="demo", path=Path("/nowhere"), sockets=Path("/nowhere"))
SURVEY = Survey(folder=FOLDER, record=a_sweep(), changes=[Change(trial=a_trial())])


class Rebuilding:
    """Remembers what was asked for and whether it was written."""

    def __init__(self) -> None:
        self.options: list[RebuildOptions] = []
        self.written: list[Survey] = []
        self.aside: Path | None = Path("/old/store.db.broken-1")

    async def survey(self, options: RebuildOptions) -> Survey:
        self.options.append(options)
        return SURVEY

    async def write(self, found: Survey, now: datetime | None = None) -> Path | None:
        self.written.append(found)
        return self.aside


@pytest.fixture
def rebuilding(monkeypatch: pytest.MonkeyPatch) -> Rebuilding:
    made = Rebuilding()
    monkeypatch.setattr("sweeper.bootstrap.rebuilding.survey", made.survey)
    monkeypatch.setattr("sweeper.bootstrap.rebuilding.write", made.write)
    return made


def test_away_from_a_terminal_nothing_is_written_unasked(
    sweeper: Run, rebuilding: Rebuilding, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("rebuild", "sweep.yaml") == 1

    told = capsys.readouterr()
    assert "demo (id abcdefghij): 1 trial has left a trace: 1 active" in told.out
    assert "give --yes" in told.err
    assert rebuilding.written == []


def test_yes_writes_it_and_says_where_the_old_one_is(
    sweeper: Run, rebuilding: Rebuilding, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("rebuild", "sweep.yaml", "--yes", "--force", "--sweep-id", "abcdefghij") == 0

    (options,) = rebuilding.options
    assert (options.force, options.sweep_id, options.local) == (True, "abcdefghij", False)
    assert rebuilding.written == [SURVEY]
    assert "kept as /old/store.db.broken-1; `sweeper run sweep.yaml`" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 1)])
def test_a_person_is_asked_on_a_terminal(
    sweeper: Run,
    rebuilding: Rebuilding,
    monkeypatch: pytest.MonkeyPatch,
    answer: bool,
    code: int,
) -> None:
    monkeypatch.setattr("sweeper.cli.rebuild.typer.confirm", lambda question: answer)
    monkeypatch.setattr("sweeper.cli.rebuild.sys.stdin.isatty", lambda: True, raising=False)

    assert sweeper("rebuild", "sweep.yaml") == code
    assert bool(rebuilding.written) is answer


def test_a_machine_reads_one_object(
    sweeper: Run, rebuilding: Rebuilding, capsys: pytest.CaptureFixture[str]
) -> None:
    rebuilding.aside = None

    assert sweeper("rebuild", "sweep.yaml", "--yes", "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["states"], told["written"], told["kept"]) == ({"active": 1}, True, None)


@pytest.mark.parametrize("sweep_id", ["abc", "ABCDEFGHIJ", "abcdefghi1"])
def test_what_is_no_id_is_refused(
    sweeper: Run, sweep_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("rebuild", "sweep.yaml", "--sweep-id", sweep_id) == 2
    assert "--sweep-id" in capsys.readouterr().err
