"""Carry out one action: make its call and say what became of it.

The intent is recorded already when an action comes here; what is returned is recorded next. A
kill at any await leaves an intent that the next start understands.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sweeper.domain.actions import Action, Delete, Inspect, LookUp, Record, Resume, Submit, Suspend
from sweeper.domain.change import Change
from sweeper.domain.freezing import lost
from sweeper.domain.judging import judge
from sweeper.domain.observing import missing, observe
from sweeper.domain.phase import Phase
from sweeper.domain.record import EventKind
from sweeper.domain.settling import (
    UNFINDABLE,
    absent,
    accepted,
    adopted,
    call_accepted,
    call_failed,
    failed,
    foreign,
    found_deleted,
    gone,
    gone_at_delete,
    held,
    left_open,
    refused,
    uncounted,
    unfindable,
    unsent,
)
from sweeper.domain.sweep import SweepSpec
from sweeper.domain.trial import Observation, TrainingEvent, Trial
from sweeper.errors import (
    AmbiguousError,
    ControlPlaneError,
    ForbiddenError,
    InvalidTransitionError,
    NameTakenError,
    RejectedError,
    RenderingError,
    StoreError,
    TrainingGoneError,
    TransientError,
    UnsupportedError,
)
from sweeper.ports import ControlPlane, Now, TrainingRequest

_log = logging.getLogger(__name__)

WORD_PATIENCE = timedelta(minutes=10)
"""How long a listing of deleted trainings is asked again that does not say how one ended."""

WriteFiles = Callable[[Mapping[str, str]], Awaitable[None]]
"""Writes texts by absolute path; writing the same twice does no harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of an action; `error` is what the whole sweep may have to answer to."""

    action: Action
    change: Change
    error: ControlPlaneError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Carries out actions on one control plane.

    `request` renders what a create sends; `is_ours` proves that a training found by name was
    created from the trial's newest attempt.
    """

    control_plane: ControlPlane
    spec: SweepSpec
    request: Callable[[Trial], TrainingRequest]
    is_ours: Callable[[Trial, Observation], bool]
    write_files: WriteFiles
    now: Now

    async def carry_out(self, action: Action) -> Done:
        """Make the call that `action` asks for; never raises for what one trial does.

        Raises:
            StoreError: from writing files.
            InvalidTransitionError: a bug of ours; nothing of the action is to be recorded.
        """
        try:
            return await self._carry_out(action)
        except ControlPlaneError as error:
            change = self._call_failed(action, error)
            return Done(action=action, change=change, error=error)
        except (StoreError, InvalidTransitionError):
            raise
        except Exception as error:  # noqa: BLE001 - one trial must not end the sweep
            kind, trial = type(action).__name__, action.trial
            _log.exception("Trial %s: %s failed", trial.number, kind, extra=trial.identity)
            return Done(action=action, change=self._call_failed(action, error))

    async def _carry_out(self, action: Action) -> Done:
        match action:
            case Submit():
                return await self._submit(action)
            case LookUp():
                return Done(action=action, change=await self._look_up(action.trial))
            case Inspect():
                return Done(action=action, change=await self._inspect(action))
            case Suspend():
                call, kind = self.control_plane.suspend, EventKind.SUSPEND
            case Resume():
                call, kind = self.control_plane.resume, EventKind.RESUME
            case Delete():
                call, kind = self.control_plane.delete, EventKind.DELETE
            case Record():
                return Done(action=action, change=Change(trial=action.trial))
            case _:
                raise TypeError(action)
        return Done(action=action, change=await self._call(action.trial, call, kind))

    def _call_failed(self, action: Action, error: Exception) -> Change:
        kinds = {Suspend: EventKind.SUSPEND, Resume: EventKind.RESUME, Delete: EventKind.DELETE}
        kind = kinds.get(type(action), EventKind.LOOK_UP)
        trial = action.trial
        if isinstance(action, Resume) and not isinstance(error, RejectedError):
            trial = uncounted(trial, action.before or trial)
        wait = getattr(error, "retry_after", None)
        return call_failed(trial, self.now(), kind, f"{_class_of(error)}: {error}", wait)

    async def _call(
        self, trial: Trial, call: Callable[[str], Awaitable[None]], kind: EventKind
    ) -> Change:
        try:
            await call(_id_of(trial))
        except TrainingGoneError:
            if kind is EventKind.DELETE:
                return gone_at_delete(trial, self.now())
            return Change(trial=missing(trial, self.now()))
        return call_accepted(trial, self.now(), kind)

    async def _submit(self, action: Submit) -> Done:
        trial = action.trial
        try:
            request = self.request(trial)
            await self.write_files(request.files)
        except StoreError:
            raise
        except RenderingError as error:
            return Done(action=action, change=refused(trial, self.now(), str(error)))
        except OSError as error:
            _log.warning(
                "The files of trial %s cannot be written: %s",
                trial.number,
                error,
                extra=trial.identity,
            )
            return Done(action=action, change=self._unsent(action, str(error)))
        except Exception as error:  # noqa: BLE001 - one trial must not end the sweep
            _log.exception("Trial %s cannot be prepared", trial.number, extra=trial.identity)
            return Done(action=action, change=self._unsent(action, str(error)))
        try:
            seen = await self.control_plane.create(request)
        except RejectedError as error:
            return await self._refused(action, error)
        except ControlPlaneError as error:
            return Done(action=action, change=self._not_created(action, error), error=error)
        except Exception as error:  # noqa: BLE001 - how far it came is not known
            _log.exception("Trial %s: its create broke off", trial.number, extra=trial.identity)
            return self._open(action, AmbiguousError(str(error)))
        if seen.name != request.name:
            detail = f"the answer names another training, {seen.name}"
            return self._open(action, AmbiguousError(detail))
        return Done(action=action, change=accepted(trial, seen, self.now()))

    def _open(self, action: Submit, error: AmbiguousError) -> Done:
        change = left_open(action.trial, self.now(), str(error))
        return Done(action=action, change=change, error=error)

    def _not_created(self, action: Submit, error: ControlPlaneError) -> Change:
        if isinstance(error, AmbiguousError):
            return left_open(action.trial, self.now(), str(error))
        outcome = "forbidden" if isinstance(error, ForbiddenError) else "not_sent"
        wait = error.retry_after if isinstance(error, TransientError) else None
        return self._unsent(action, str(error), outcome=outcome, wait=wait)

    def _unsent(
        self, action: Submit, detail: str, *, outcome: str = "not_sent", wait: float | None = None
    ) -> Change:
        earlier, now = _earlier(action), self.now()
        return unsent(action.trial, now, detail, outcome=outcome, wait=wait, earlier=earlier)

    async def _refused(self, action: Submit, error: RejectedError) -> Done:
        # An earlier POST of the same intent may own the name, whatever words the refusal has.
        trial = action.trial
        repeated = _earlier(action) is not None
        is_taken = isinstance(error, NameTakenError)
        if repeated or is_taken:
            change = await self._look_up(trial, is_taken=is_taken)
            if not is_taken and change.trial.reason == UNFINDABLE:
                reason = f"{UNFINDABLE}; sent again, it was refused: {error}"
                return Done(action=action, change=held(trial, self.now(), reason), error=error)
            looked = change.trial.submission
            is_absent = looked.workload_id is None and looked.looked_up_at is not None
            if is_taken or not is_absent:
                return Done(action=action, change=change)
        return Done(action=action, change=refused(trial, self.now(), str(error)), error=error)

    async def _look_up(self, trial: Trial, *, is_taken: bool = False) -> Change:
        """Adopt the training of the trial's name if it is ours; hold the trial if it is not.

        `is_taken` means that the control plane has just said that there is one.
        """
        asked_at = self.now()
        name = trial.submission.workload_name
        try:
            found = await self.control_plane.find(name)
        except UnsupportedError:
            return self._without_listing(trial, asked_at, is_taken=is_taken)
        strangers: list[str] = []
        unread: set[str] = set()
        for candidate in sorted(found, key=lambda seen: str(seen.created_at)):
            try:
                seen = await self.control_plane.get(candidate.workload_id)
            except TrainingGoneError:
                unread.add(candidate.workload_id)
                continue
            if seen.workload_id != candidate.workload_id:
                raise TransientError(f"an answer about {name} is about another training")
            if self.is_ours(trial, seen):
                return adopted(trial, seen, self.spec.resume, self.now())
            strangers.append(seen.workload_id)
        if strangers:
            reason = f"a workload named {name} exists that is not ours ({strangers[0]})"
            return foreign(trial, asked_at, reason)
        # It may have run, finished and been deleted since; sent again, it would run twice. A
        # listing has no labels and a deleted one cannot be read, so the name is all there is.
        deleted = await self._named(trial, deleted=True)
        if unread - {seen.workload_id for seen in deleted}:
            # It is listed and cannot be read yet: no proof of anything, least of all of absence.
            return Change(trial=trial)
        last = _newest(deleted)
        if last is not None and self._may_say_more(last, trial.submission.sent_at):
            return Change(trial=trial)
        if last is not None:
            return found_deleted(trial, last, self.spec.retry, self.now())
        return absent(trial, asked_at)

    def _without_listing(self, trial: Trial, asked_at: datetime, *, is_taken: bool) -> Change:
        # Where a look-up was planned, only the quarantine counts; where the name is known to be
        # taken, its id cannot be found and only a person can tell whose it is.
        if not is_taken:
            return unfindable(trial, asked_at)
        reason = (
            f"a workload named {trial.submission.workload_name} exists, and this control plane "
            "has no listing to find its id: give that to `sweeper adopt`, or delete it there, then "
            "`sweeper retry`"
        )
        return held(trial, self.now(), reason)

    async def _inspect(self, action: Inspect) -> Change:
        trial = action.trial
        if trial.submission.phase is Phase.FAILED:
            verdict = judge(await self._events(trial))
            return failed(trial, verdict, self.spec.retry, self.now())
        try:
            seen = await self.control_plane.get(_id_of(trial))
        except TrainingGoneError:
            return await self._unknown(action)
        return observe(_patient_no_more(trial), seen, self.now(), self.spec.resume)

    async def _unknown(self, action: Inspect) -> Change:
        """Find out what became of a training that no reading shows."""
        trial = action.trial
        last = await self._listed(trial, deleted=True)
        if last is not None:
            if self._may_say_more(last, trial.submission.missing_since):
                return Change(trial=trial)
            return gone(trial, last, self.spec.retry, self.now())
        if not action.is_last_word:
            is_deleted = trial.submission.delete_sent_at is not None
            return Change(trial=trial) if is_deleted else lost(trial, self.now())
        # Some gateways answer 404 for what lives; a listing that has it knows better.
        alive = await self._listed(trial, deleted=False)
        if alive is not None:
            return observe(_patient_no_more(trial), alive, self.now(), self.spec.resume)
        return gone(trial, None, self.spec.retry, self.now())

    def _may_say_more(self, last: Observation, since: datetime | None) -> bool:
        """Whether how a deleted training ended is not said, and it is early to go without.

        To take one that was completed for one that was not would run its trial again.
        """
        is_early = since is not None and self.now() - since < WORD_PATIENCE
        return last.phase is Phase.UNKNOWN and is_early

    async def _events(self, trial: Trial) -> tuple[TrainingEvent, ...]:
        try:
            return tuple(await self.control_plane.events(_id_of(trial)))
        except (UnsupportedError, TrainingGoneError, ForbiddenError, RejectedError):
            return ()

    async def _listed(self, trial: Trial, *, deleted: bool) -> Observation | None:
        """Return the training as the listing of the living, or of the deleted, has it."""
        found = await self._named(trial, deleted=deleted)
        return next((seen for seen in found if seen.workload_id == _id_of(trial)), None)

    async def _named(self, trial: Trial, *, deleted: bool) -> Sequence[Observation]:
        try:
            return await self.control_plane.find(trial.submission.workload_name, deleted=deleted)
        except (UnsupportedError, ForbiddenError, RejectedError):
            return ()


def _earlier(action: Submit) -> datetime | None:
    """Return when a create of the same name was sent before this one, None if none was."""
    before = action.before
    return None if before is None or action.begins_attempt else before.submission.sent_at


def _newest(found: Sequence[Observation]) -> Observation | None:
    return max(found, key=lambda seen: (str(seen.created_at), seen.workload_id), default=None)


def _class_of(error: Exception) -> str:
    """Return the class of an outcome in the words of `errors`: transient, ambiguous, rejected."""
    return type(error).__name__.removesuffix("Error").lower()


def _patient_no_more(trial: Trial) -> Trial:
    return replace(trial, submission=replace(trial.submission, next_call_at=None))


def _id_of(trial: Trial) -> str:
    workload_id = trial.submission.workload_id
    if workload_id is None:
        raise ValueError(f"trial {trial.number} has no training")
    return workload_id
