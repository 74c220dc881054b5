"""Take a training that a person found as that of a trial, once it is proved to be just that."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from sweeper.daemon.actions import Hands
from sweeper.domain.change import Change
from sweeper.domain.marks import labels_of, shown_marks
from sweeper.domain.record import SweepRecord, Wish, WishKind
from sweeper.domain.settling import adopted, not_adopted
from sweeper.domain.trial import Observation, Trial
from sweeper.errors import (
    ControlPlaneError,
    ForbiddenError,
    RejectedError,
    TrainingGoneError,
)
from sweeper.ports import Store

_log = logging.getLogger(__name__)

Write: TypeAlias = Callable[[Sequence[Change]], Awaitable[object]]
"""Records changes, each with its events."""


async def grant_adoptions(store: Store, hands: Hands, sweep: SweepRecord, write: Write) -> bool:
    """Carry out every open wish to adopt; return whether one is left for a later tick.

    A wish is settled after its effect is recorded: repeated after a kill, it changes nothing.
    """
    for wish in await store.wishes():
        if wish.kind is not WishKind.ADOPT:
            continue
        try:
            change = await _granted(store, hands, sweep, wish)
        except ControlPlaneError as error:
            _log.warning(
                "Trial %s cannot be given its training yet: %s",
                wish.trial,
                error,
                extra={"trial": wish.trial, "workload_id": wish.workload_id},
            )
            return True
        if change is not None:
            await write([change])
        await store.settle_wish(wish.number)
    return False


async def _granted(store: Store, hands: Hands, sweep: SweepRecord, wish: Wish) -> Change | None:
    view = None if wish.trial is None else await store.trial(wish.trial)
    if view is None or wish.workload_id is None:
        return None
    trial = view.trial
    if trial.submission.workload_id == wish.workload_id:
        return None
    change = await _adopted(hands, sweep, trial, wish.workload_id)
    if isinstance(change, str):
        _log.warning("Trial %s: %s", trial.number, change, extra=trial.identity)
        return not_adopted(trial, hands.now(), change)
    return change


async def _adopted(
    hands: Hands, sweep: SweepRecord, trial: Trial, workload_id: str
) -> Change | str:
    """Return the change that adopts the training, or why it is not adopted."""
    submission = trial.submission
    if trial.state.is_terminal or not submission.is_open:
        return f"not adopted: its attempt {submission.attempt} is over"
    if submission.workload_id is not None:
        return f"not adopted: it has the training {submission.workload_id} already"
    try:
        seen = await hands.control_plane.get(workload_id)
    except TrainingGoneError:
        return f"not adopted: the control plane knows no training {workload_id}"
    except (RejectedError, ForbiddenError) as error:
        return f"not adopted: training {workload_id} cannot be read: {error}"
    if not hands.is_ours(trial, seen):
        return _difference(sweep, trial, seen)
    return adopted(trial, seen, hands.spec.resume, hands.now())


def _difference(sweep: SweepRecord, trial: Trial, seen: Observation) -> str:
    submission = trial.submission
    ours = labels_of(sweep.id, trial.number, submission.attempt, submission.digest)
    return (
        f"not adopted: training {seen.workload_id} is another one: expected "
        f"{submission.workload_name} ({shown_marks(ours)}), found {seen.name} "
        f"({shown_marks(seen.labels)})"
    )
