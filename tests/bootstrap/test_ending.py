import json
import signal
from pathlib import Path
from typing import Any

import pytest

from sweeper.bootstrap.ending import conclude, verdict
from sweeper.bootstrap.run_options import RunOptions
from sweeper.daemon.service import End
from sweeper.domain.leaving import OnExit
from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepRecord, SweepState, Totals
from sweeper.domain.trial import Trial, TrialState
from sweeper.settings import Settings
from sweeper.store.memory import MemoryStore
from tests.support.builders import a_sweep, a_trial

FINISHED = a_sweep(state=SweepState.FINISHED, planned=2)


def asked(**fields: Any) -> RunOptions:
    """Return what `sweeper run s.yaml` was asked for."""
    return RunOptions(file=Path("s.yaml"), settings=Settings(), **fields)


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ({TrialState.COMPLETED: 2}, 0),
        ({TrialState.COMPLETED: 1, TrialState.PRUNED: 1}, 0),
        ({TrialState.COMPLETED: 1, TrialState.FAILED: 1}, 1),
        ({TrialState.COMPLETED: 1, TrialState.HELD: 1}, 1),
        ({TrialState.COMPLETED: 1, TrialState.CANCELLED: 1}, 1),
    ],
)
def test_a_finished_sweep_is_judged_by_its_trials(states: dict[TrialState, int], code: int) -> None:
    assert verdict(FINISHED, Totals(states=states)) == code


@pytest.mark.parametrize("state", [SweepState.CANCELLED, SweepState.STOPPED])
def test_a_sweep_that_did_not_finish_is_not_all_well(state: SweepState) -> None:
    assert verdict(a_sweep(state=state), Totals(states={TrialState.COMPLETED: 2})) == 1


async def test_a_settled_sweep_prints_its_results_and_how_it_ended(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with MemoryStore() as store:
        await store.save_sweep(FINISHED)
        trial = a_trial(0, state=TrialState.COMPLETED, phase=Phase.COMPLETED, version=0)
        await store.commit([trial])

        code = await conclude(store, FINISHED, End.SETTLED, asked(as_json=True))

    rows = json.loads(capsys.readouterr().out)
    assert code == 0
    assert [row["state"] for row in rows] == ["completed"]
    assert "demo: finished: 1 completed" in caplog.text


@pytest.mark.parametrize(
    ("end", "received", "code", "words"),
    [
        (End.STOPPED, signal.SIGINT, 130, "stopped; trainings go on"),
        (End.STOPPED, signal.SIGTERM, 143, "`sweeper run s.yaml` goes on"),
        (End.OUT_OF_TIME, None, 3, "--max-runtime is over"),
    ],
)
async def test_an_end_with_work_left_says_how_to_go_on(
    end: End,
    received: signal.Signals | None,
    code: int,
    words: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    async with MemoryStore() as store:
        await store.save_sweep(a_sweep())

        found = await conclude(store, a_sweep(), end, asked(as_json=True), received=received)

    assert found == code
    assert words in caplog.text
    assert capsys.readouterr().out == ""


async def ended(sweep: SweepRecord, end: End, options: RunOptions, *trials: Trial) -> int:
    async with MemoryStore() as store:
        await store.save_sweep(sweep)
        await store.commit(trials)
        return await conclude(store, sweep, end, options)


COMPLETED = a_trial(0, state=TrialState.COMPLETED, phase=Phase.COMPLETED, version=0)
FAILED = a_trial(1, state=TrialState.FAILED, phase=Phase.FAILED, version=0)


async def test_a_quiet_run_prints_nothing_when_all_is_well(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")

    code = await ended(FINISHED, End.SETTLED, asked(quiet=True), COMPLETED)

    assert (code, capsys.readouterr().out, caplog.text) == (0, "", "")


async def test_a_quiet_run_shows_results_and_says_what_failed(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")

    code = await ended(FINISHED, End.SETTLED, asked(quiet=True), COMPLETED, FAILED)

    assert code == 1
    assert "failed" in capsys.readouterr().out
    assert "1 completed, 1 failed" in caplog.text


async def test_a_full_night_is_no_failure_where_that_was_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("WARNING")

    code = await ended(a_sweep(), End.OUT_OF_TIME, asked(exit_zero_on_runtime=True))

    assert (code, caplog.text) == (0, "")


async def test_a_stop_by_signal_is_told_as_such_whatever_was_asked_for() -> None:
    async with MemoryStore() as store:
        await store.save_sweep(a_sweep())
        options = asked(exit_zero_on_runtime=True, on_exit=OnExit.SUSPEND)

        code = await conclude(store, a_sweep(), End.OUT_OF_TIME, options, received=signal.SIGTERM)

    assert code == 143


@pytest.mark.parametrize(
    ("sweep", "options", "words"),
    [
        pytest.param(
            a_sweep(name="n-2026-03-01", definition={"name": "n-{date}"}),
            asked(on_exit=OnExit.SUSPEND),
            "active trainings were suspended: `sweeper run s.yaml --name n-2026-03-01` goes on",
            id="a date in the name",
        ),
        pytest.param(
            a_sweep(name="mine"),
            asked(name="mine", on_exit=OnExit.CANCEL),
            "active trials were cancelled: `sweeper run s.yaml --name mine` goes on",
            id="a name on the command line",
        ),
        pytest.param(a_sweep(), asked(), "`sweeper run s.yaml` goes on", id="the file's own name"),
    ],
)
async def test_the_hint_leads_back_to_this_very_sweep(
    sweep: SweepRecord, options: RunOptions, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    await ended(sweep, End.OUT_OF_TIME, options)

    assert words in caplog.text
