import json
import signal

import pytest

from sweeper.bootstrap.ending import conclude, verdict
from sweeper.daemon.service import End
from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepState, Totals
from sweeper.domain.trial import TrialState
from sweeper.store.memory import MemoryStore
from tests.support.builders import a_sweep, a_trial

FINISHED = a_sweep(state=SweepState.FINISHED, planned=2)


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

        code = await conclude(
            store, FINISHED, End.SETTLED, file="s.yaml", as_json=True, received=None
        )

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

        found = await conclude(
            store, a_sweep(), end, file="s.yaml", as_json=True, received=received
        )

    assert found == code
    assert words in caplog.text
    assert capsys.readouterr().out == ""
