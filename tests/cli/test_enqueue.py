import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.bootstrap.folders import SweepFolder
from sweeper.domain.enqueuing import MOST_ENQUEUED, EnqueuedPoint
from sweeper.domain.record import SweepRecord, SweepState, Wish
from sweeper.domain.values import JsonValue
from sweeper.settings import Settings
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.cli.conftest import Run
from tests.support.builders import a_sweep
from tests.support.places import a_kept_sweep

_DEFINITION: Mapping[str, JsonValue] = {
    "method": "grid",
    "parameters": {"lr": {"values": [0.1, 0.2]}},
}


@pytest.fixture
def record() -> SweepRecord:
    return replace(a_sweep(planned=2), name="tuned", definition=_DEFINITION)


@pytest.fixture
def tuned(settings: Settings, record: SweepRecord) -> SweepFolder:
    return asyncio.run(a_kept_sweep(settings, sweep=record))


def _wishes(folder: SweepFolder) -> Sequence[Wish]:
    async def read() -> Sequence[Wish]:
        async with SqlStore(folder.store, run=inline) as store:
            return await store.wishes()

    return asyncio.run(read())


def test_points_of_flags_and_of_a_file_are_written_down(
    sweeper: Run, tuned: SweepFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "more.jsonl"
    file.write_text('{"lr": 0.2}\n\n{"lr": 0.15}\n', encoding="utf-8")

    assert sweeper("enqueue", "tuned", "--params", '{"lr": 0.1}', "--file", file) == 0

    assert [wish.params for wish in _wishes(tuned)] == [{"lr": 0.1}, {"lr": 0.2}, {"lr": 0.15}]
    assert capsys.readouterr().out.count("no daemon runs: `sweeper run` carries it out") == 3


def test_each_point_is_one_json_object_for_machines(
    sweeper: Run, tuned: SweepFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    points = ("--params", '{"lr": 0.1}', "--params", '{"lr": 5}')
    assert sweeper("enqueue", tuned.name, *points, "--json") == 0

    printed = capsys.readouterr()
    told = [json.loads(line) for line in printed.out.splitlines()]
    assert [(one["wish"], one["params"]) for one in told] == [(1, {"lr": 0.1}), (2, {"lr": 5})]
    assert "warning: --params: lr: 5 is not among" in printed.err


def test_one_faulty_point_lets_none_be_written_down(sweeper: Run, tuned: SweepFolder) -> None:
    points = ("--params", '{"lr": 0.1}', "--params", '{"rl": 0.1}')

    assert sweeper("enqueue", "tuned", *points) == 2
    assert list(_wishes(tuned)) == []


@pytest.mark.usefixtures("tuned")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [((), "say what to try"), (("--file", "nothing.jsonl"), "nothing.jsonl: cannot be read")],
    ids=["nothing", "no file"],
)
def test_enqueue_wants_to_know_what(
    sweeper: Run, arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("enqueue", "tuned", *arguments) == 2
    assert words in capsys.readouterr().err


def test_a_cancelled_sweep_takes_no_point(
    sweeper: Run, settings: Settings, record: SweepRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    given_up = replace(record, state=SweepState.CANCELLED)
    folder = asyncio.run(a_kept_sweep(settings, sweep=given_up))

    assert sweeper("enqueue", "tuned", "--params", '{"lr": 0.1}') == 2
    assert "it starts no trial any more" in capsys.readouterr().err
    assert list(_wishes(folder)) == []


def test_a_sweep_takes_so_many_points_and_no_more(
    sweeper: Run, settings: Settings, record: SweepRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    points = tuple(
        EnqueuedPoint(number=number, params={"lr": 0.1}, wish=number)
        for number in range(MOST_ENQUEUED - 1)
    )
    asyncio.run(a_kept_sweep(settings, sweep=replace(record, enqueued=points)))

    assert sweeper("enqueue", "tuned", "--params", '{"lr": 0.1}') == 0
    assert sweeper("enqueue", "tuned", "--params", '{"lr": 0.1}') == 2
    assert "takes no more" in capsys.readouterr().err


def test_status_names_the_trials_that_were_enqueued(
    sweeper: Run, settings: Settings, record: SweepRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    point = EnqueuedPoint(number=2, params={"lr": 0.3}, wish=1)
    asyncio.run(a_kept_sweep(settings, sweep=replace(record, enqueued=(point,))))

    assert sweeper("status", "tuned") == 0
    assert "added:   trial 2" in capsys.readouterr().out.splitlines()
