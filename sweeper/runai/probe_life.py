"""The steps of a probe that take one tiny training through its life."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from sweeper.clock import pause
from sweeper.domain.phase import Phase
from sweeper.domain.values import JsonValue
from sweeper.errors import (
    ControlPlaneError,
    NameTakenError,
    RejectedError,
    TrainingGoneError,
    UnsupportedError,
)
from sweeper.runai.answers import show
from sweeper.runai.calls import Call, MakeCall
from sweeper.runai.client import TRAININGS, RunaiControlPlane
from sweeper.runai.findings import Finding, Heard, failed
from sweeper.runai.operations import Operation
from sweeper.runai.probe_training import LABEL, POLL_SECONDS, ProbeTraining
from sweeper.runai.probing import CALL_SECONDS, Learned, Step, missing, note, ok
from sweeper.runai.reading import read_training

LOOK_UP_SECONDS = 60.0
WAIT_SECONDS = 120.0
"""How long is waited for a training to run, to be stopped, to leave Resuming, to be gone."""

_LONG = WAIT_SECONDS + CALL_SECONDS
_ENDED = frozenset({Phase.COMPLETED, Phase.FAILED})
_NOT_RESUMED = frozenset({Phase.STOPPED, Phase.STOPPING, Phase.RESUMING, Phase.UNKNOWN})


class Life:
    """One training from its create to its end.

    `make` and `plane` lead to the same control plane: what a `ControlPlane` keeps to itself is
    read from the answers.
    """

    def __init__(
        self,
        make: MakeCall,
        plane: RunaiControlPlane,
        training: ProbeTraining,
        heard: Heard,
        learned: Learned,
    ) -> None:
        self._make = make
        self._plane = plane
        self._training = training
        self._heard = heard
        self._learned = learned
        self._id = ""
        self._created_at = 0.0
        self._is_over = False
        self._is_stopped = False

    def steps(self, *, keep: bool) -> tuple[Step, ...]:
        """Return the steps in their order; with `keep` without those that end the training."""
        return (
            _step("listing", Operation.LIST, self._listing),
            _step("create", Operation.CREATE, self._create),
            _step("create again", Operation.CREATE, self._create_again, self._is_there),
            _step("look up", Operation.FIND, self._look_up, self._can_look_up, LOOK_UP_SECONDS * 2),
            _step("get", Operation.GET, self._get, self._is_there),
            _step("events", Operation.EVENTS, self._events, self._is_there),
            _step("start", Operation.GET, self._start, self._is_there, _LONG),
            _step("suspend", Operation.SUSPEND, self._suspend, self._can_suspend, _LONG),
            _step("resume", Operation.RESUME, self._resume, lambda: self._is_stopped, _LONG),
            *(() if keep else self._last_steps()),
        )

    def _last_steps(self) -> tuple[Step, ...]:
        return (
            _step("delete", Operation.DELETE, self._delete, self._is_there, _LONG),
            _step("name again", Operation.CREATE, self._name_again, self._is_gone, _LONG),
        )

    async def clean_up(self, *, keep: bool) -> Finding | None:
        """Take away what was made, within a bounded time; None where nothing was made.

        With `keep` the training itself stays, and only what came beside it goes.
        """
        training, spare = self._training, self._id if keep else ""
        if not (training.has_traces or self._id):
            return None
        left = await training.clean_up(spare=spare or None)
        if left:
            remedy = "delete it by hand; it ends by itself after 5 minutes of running"
            return missing("clean-up", f"{', '.join(left)} may be left behind", remedy)
        if spare:
            return note("clean-up", f"{training.name} is kept ({spare}): delete it when done")
        return ok("clean-up", "nothing is left behind")

    def _is_there(self) -> bool:
        return bool(self._id) and self._id in self._training.workload_ids

    def _is_gone(self) -> bool:
        return bool(self._id) and not self._is_there()

    def _can_look_up(self) -> bool:
        return self._is_there() and self._learned.capabilities.listing is True

    def _can_suspend(self) -> bool:
        return self._is_there() and not self._is_over

    async def _listing(self) -> Finding:
        try:
            await self._plane.observe(self._training.name)
        except UnsupportedError as error:
            self._learned.note(listing=False)
            finding = failed("listing", Operation.LIST, error, self._heard)
            if finding.permission:
                return finding
            return note("listing", f"{error}: every training is asked for by itself")
        self._learned.note(listing=True)
        return ok("listing", "workloads are listed")

    async def _create(self) -> Finding:
        created = await self._training.create()
        self._id, self._created_at = created.workload_id, _now()
        return ok("create", f"{self._training.name} is accepted, id {self._id}")

    async def _create_again(self) -> Finding:
        """Create a second one under the name, which a control plane had better refuse."""
        try:
            second = await self._training.create()
        except NameTakenError:
            status = self._heard.status(Operation.CREATE)
            self._learned.note(names_unique=True, duplicate_status=status)
            return ok("create again", f"refused with {status}: names are unique")
        except RejectedError as error:
            status = self._heard.status(Operation.CREATE)
            self._learned.note(duplicate_status=status)
            words = f"{error} - in words that do not say that the name is taken"
            remedy = "report those words to sweeper's maintainers: a lost answer fails a trial here"
            return missing("create again", words, remedy)
        if second.workload_id == self._id:
            self._learned.note(names_unique=True, duplicate_status=None)
            return ok("create again", "answered with the training that there was")
        self._learned.note(names_unique=False)
        words = "accepted: names are not unique, so a create without an answer waits 3 minutes"
        return note("create again", words)

    async def _look_up(self) -> Finding:
        """Look the name up until the listing has it."""
        looks = 0
        while _now() - self._created_at < LOOK_UP_SECONDS:
            looks += 1
            found = await self._plane.find(self._training.name)
            lag = round(_now() - self._created_at, 1)
            if any(one.workload_id == self._id for one in found):
                self._learned.note(lag_seconds=lag)
                return ok("look up", f"listed within {lag:.1f} s (look {looks})")
            await pause(POLL_SECONDS)
        words = f"not listed within {LOOK_UP_SECONDS:.0f} s of its create ({looks} looks)"
        return missing("look up", words, "ask an administrator why the listing lags so far behind")

    async def _get(self) -> Finding:
        """Read the training's own answer as it came."""
        body = await self._make(
            Call(operation=Operation.GET, method="GET", path=f"{TRAININGS}/{self._id}")
        )
        seen = read_training(Operation.GET, body, self._training.name)
        phase_field = _phase_field(body)
        has_labels = LABEL in (seen.labels or {})
        self._learned.note(phase_field=phase_field, labels_returned=has_labels)
        words = f"{phase_field or 'phase'} is {seen.phase if phase_field else 'not told'}"
        if not has_labels:
            remedy = "after a lost answer such a training must be adopted by hand (sweeper adopt)"
            return missing("get", f"{words}; its labels are not given back", remedy)
        if not phase_field:
            return note("get", f"{words}: the listing tells it, where there is one")
        return ok("get", f"{words}; labels are given back")

    async def _events(self) -> Finding:
        try:
            events = await self._plane.events(self._id)
        except (UnsupportedError, TrainingGoneError) as error:
            self._learned.note(events=False)
            return note("events", f"{error}: a failed trial cannot be told from an evicted one")
        self._learned.note(events=True)
        return ok("events", f"{len(events)} so far")

    async def _start(self) -> Finding:
        phase, reached = await self._training.until(
            self._id, lambda seen: seen is Phase.RUNNING or seen in _ENDED, WAIT_SECONDS
        )
        self._is_over = phase in _ENDED
        took = f"{phase} after {_now() - self._created_at:.0f} s"
        if phase is Phase.RUNNING:
            return ok("start", took)
        if reached:
            return note("start", f"{took}{await self._why()}", "look at its events and its image")
        remedy = "no resources, no quota, or an image that cannot be had (--image)"
        return note("start", f"still {took}{await self._why()}", remedy)

    async def _why(self) -> str:
        """Return what the control plane says of the phase, "" when it says nothing."""
        if self._learned.capabilities.listing is not True:
            return ""
        try:
            found = await self._plane.find(self._training.name)
        except ControlPlaneError:
            return ""
        return next((f": {show(one.message)}" for one in found if one.message), "")

    async def _suspend(self) -> Finding:
        await self._plane.suspend(self._id)
        asked_at = _now()
        phase, reached = await self._training.until(
            self._id, lambda seen: seen is Phase.STOPPED, WAIT_SECONDS
        )
        self._is_stopped = reached
        took = f"{phase} after {_now() - asked_at:.0f} s"
        if reached:
            return ok("suspend", took)
        return missing("suspend", f"accepted, and yet {took}", "ask an administrator what holds it")

    async def _resume(self) -> Finding:
        await self._plane.resume(self._id)
        asked_at = _now()
        phase, reached = await self._training.until(
            self._id, lambda seen: seen not in _NOT_RESUMED, WAIT_SECONDS
        )
        took = f"{phase} after {_now() - asked_at:.0f} s"
        if reached:
            return ok("resume", took)
        remedy = (
            "some Kubernetes releases hang here: ask an administrator for 1.32.9, 1.33.6 or newer"
        )
        return missing("resume", f"accepted, and yet {took}", remedy)

    async def _delete(self) -> Finding:
        asked_at = _now()
        await self._plane.delete(self._id)
        await self._training.delete(self._id)
        return ok("delete", f"gone after {_now() - asked_at:.0f} s")

    async def _name_again(self) -> Finding:
        """See whether a name can be used again once its training is gone."""
        try:
            again = await self._training.create()
        except NameTakenError:
            self._learned.note(name_freed=False)
            return note("name again", "the name stays taken; every attempt has one of its own")
        self._learned.note(name_freed=True)
        await self._training.delete(again.workload_id)
        return ok("name again", "the name is free again")


def _step(
    name: str,
    operation: Operation,
    take: Callable[[], Awaitable[Finding]],
    is_possible: Callable[[], bool] = lambda: True,
    seconds: float = CALL_SECONDS,
) -> Step:
    return Step(name=name, operation=operation, take=take, is_possible=is_possible, seconds=seconds)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _phase_field(body: JsonValue) -> str:
    """Return under which name an answer holds a phase, "" where it holds none."""
    members = body if isinstance(body, Mapping) else {}
    return next((key for key in ("actualPhase", "phase") if members.get(key)), "")
