"""Every exception that sweeper raises on purpose, sorted by what the caller does next.

SweeperError
├── UserError                tell the user, exit 2
│   ├── SweepFileError       faults of a sweep file, each with its place
│   ├── SettingsError        a flag, variable or settings file that cannot be used
│   ├── UnmetRulesError      constraints that hardly any point of a search space meets
│   ├── RenderingError       params that cannot be put where the sweep file wants them
│   └── MissingExtraError    an optional dependency is not installed
├── SweepOwnedError          another daemon owns the sweep: exit 4
├── ControlPlaneError        an answer of the control plane
│   ├── TransientError       nothing is known to have changed: try again at a later tick
│   │   └── NotSentError     the request never left this machine
│   ├── AmbiguousError       the effect may have happened: look before doing it again
│   ├── RejectedError        the request is wrong: the trial fails, with the reason
│   │   └── NameTakenError   look the name up, adopt it if it is ours
│   ├── AuthError            a fresh token was refused too: pause all calls and say so
│   ├── ForbiddenError       this account may not do that: pause this kind of call
│   ├── TrainingGoneError    no such training: `plan` decides
│   └── UnsupportedError     this control plane does not offer the call
├── StoreError               what is decided cannot be recorded: the daemon ends, exit 70
│   ├── StoreLockedError     another process holds the store
│   ├── StoreAwayError       the store cannot be reached for now: wait, and tick again
│   ├── SweepTakenError      another daemon took the sweep over: end at once, exit 4
│   └── LimitExceededError   an intent would have gone over a limit: nothing was written
├── NoticeError              a notice was not sent, or not surely: try again later
├── SuggestionError          a sampler suggests no params: ask it anew, or draw at random
├── ReportError              a training's report cannot be taken: tell it why, keep nothing
├── DaemonGoneError          no daemon answers where one should: open the store oneself
├── StuckTickError           a tick did not end in time: exit 71, so that a restart may help
└── InvalidTransitionError   our bug: roll back, exit 70
"""

from collections.abc import Sequence
from dataclasses import dataclass


class SweeperError(Exception):
    """Anything that sweeper raises on purpose."""


class UserError(SweeperError):
    """What the user gave cannot be used; the message carries the value and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of a sweep file: where it is, what was found and what would be right.

    `line` and `column` count from 1 (0 = the file as a whole); `path` is dotted from the top of
    the file, "" for the file itself; `message` carries the value and the remedy.
    """

    line: int
    column: int
    path: str
    message: str


class SweepFileError(UserError):
    """A sweep file that cannot run; `faults` holds every fault found, in the file's order."""

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        self.file = file
        self.faults = tuple(faults)
        super().__init__("\n".join(describe_fault(file, fault) for fault in self.faults))


def describe_fault(file: str, fault: Fault) -> str:
    """Return one line a person can act on: `file:line:column: path: message`."""
    place = f"{file}:{fault.line}:{fault.column}" if fault.line else file
    return f"{place}: {fault.path}: {fault.message}" if fault.path else f"{place}: {fault.message}"


class SettingsError(UserError):
    """A flag, an environment variable or a settings file holds a value that cannot be used."""


class RenderingError(UserError):
    """A trial's params cannot be put where the sweep file wants them; names the place."""


class UnmetRulesError(UserError):
    """No params were found that meet the constraints of a sweep."""


class MissingExtraError(UserError):
    """A feature needs an optional dependency; the message names the command that installs it."""

    def __init__(self, feature: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{feature} needs an optional part: pip install 'sweeper[{extra}]'")


class SweepOwnedError(SweeperError):
    """Another daemon owns this sweep; the message says which process, and since when."""


class ControlPlaneError(SweeperError):
    """The control plane did not do what was asked."""


class TransientError(ControlPlaneError):
    """Nothing is known to have changed; the next tick may try again.

    `retry_after` is the wait in seconds that the control plane asked for, None when it did not.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class NotSentError(TransientError):
    """The request never reached the control plane, so it surely had no effect."""


class AmbiguousError(ControlPlaneError):
    """The effect may or may not have happened; look before doing it again."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class RejectedError(ControlPlaneError):
    """The control plane refused the request for good.

    `compliance` is true when it named fields that break a policy: every trial of the sweep
    would meet the same refusal.
    """

    def __init__(self, message: str, *, compliance: bool = False) -> None:
        self.compliance = compliance
        super().__init__(message)


class NameTakenError(RejectedError):
    """A workload of this name exists already; it may be ours from an answer that was lost."""


class AuthError(ControlPlaneError):
    """The control plane refused a token that was just renewed, or refused to give one."""


class ForbiddenError(ControlPlaneError):
    """The account lacks a permission; permissions may come back."""


class TrainingGoneError(ControlPlaneError):
    """The control plane knows no such training."""


class UnsupportedError(ControlPlaneError):
    """This control plane does not offer the call, being older or limited to five operations."""


class StoreError(SweeperError):
    """The store cannot be read or written; nothing that cannot be recorded may be started."""


class StoreLockedError(StoreError):
    """Another process holds the store."""


class StoreAwayError(StoreError):
    """The store cannot be reached for now, or whether it is still ours cannot be known."""


class SweepTakenError(StoreError):
    """Another process took the sweep over; nothing was written, and nothing more may be done."""


class LimitExceededError(StoreError):
    """Writing these intents would exceed a limit; the transaction was rolled back whole."""


class ReportError(SweeperError):
    """What a training reported cannot be taken; the message says why and what would be."""


class NoticeError(SweeperError):
    """A notice was not sent, or not surely; it is tried again.

    `retry_after` is the wait in seconds that the service asked for, None when it did not. With
    `for_good` trying again is of no use.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, for_good: bool = False
    ) -> None:
        self.retry_after = retry_after
        self.for_good = for_good
        super().__init__(message)


class DaemonGoneError(SweeperError):
    """No daemon answers, or it went away in the middle of an answer."""


class SuggestionError(SweeperError):
    """A sampler suggests no params for a trial."""


class StuckTickError(SweeperError):
    """A tick took longer than any call may; the process should be started anew."""


class InvalidTransitionError(SweeperError):
    """A trial was asked to enter a state that its present state does not lead to: our bug."""
