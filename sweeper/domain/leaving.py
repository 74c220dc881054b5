"""What becomes of the trainings that are active when a daemon's own time is up."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepRecord, SweepState
from sweeper.domain.trial import Trial, TrialState

_OVER = frozenset({SweepState.CANCELLING, SweepState.CANCELLED, SweepState.FINISHED})


class OnExit(StrEnum):
    """What a daemon does with active trainings before it leaves with work left.

    Nothing of it is the sweep's own state, so the next daemon just goes on: a suspend of ours
    stands with its submission and is taken back, a trial that was given up stays cancelled.
    """

    LEAVE = "leave"
    SUSPEND = "suspend"
    CANCEL = "cancel"


def as_left(sweep: SweepRecord, trial: Trial, on_exit: OnExit) -> SweepRecord:
    """Return the sweep as one trial is cared for by a daemon that leaves in this way."""
    if sweep.state in _OVER:
        return sweep
    match on_exit:
        case OnExit.LEAVE:
            return sweep
        case OnExit.SUSPEND:
            return replace(sweep, state=SweepState.SUSPENDED)
        case OnExit.CANCEL:
            return replace(sweep, state=SweepState.CANCELLING) if _is_active(trial) else sweep


def not_left_yet(live: Sequence[Trial], on_exit: OnExit) -> Sequence[Trial]:
    """Return the trials whose trainings are not yet as `on_exit` wants them.

    A create that was left open counts, for its training may yet be found. A trial that is held
    is left to the person that it needs, and one that waits for its next attempt has no training.
    """
    match on_exit:
        case OnExit.LEAVE:
            return ()
        case OnExit.SUSPEND:
            return [trial for trial in live if _is_active(trial) and not _is_idle(trial)]
        case OnExit.CANCEL:
            return [trial for trial in live if _is_active(trial)]


def _is_active(trial: Trial) -> bool:
    return trial.holds_slot and trial.state is not TrialState.HELD


def _is_idle(trial: Trial) -> bool:
    submission = trial.submission
    if submission.workload_id is None:
        return submission.sent_at is None
    return submission.phase is Phase.STOPPED
