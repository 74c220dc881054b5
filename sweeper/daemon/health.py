"""How the control plane has been of late, and so how gently it is to be treated.

All of it is forgotten with the process; a new one begins with care and finds out again.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sweeper.domain.policy import LONGEST_WAIT, asked_wait, is_due
from sweeper.errors import (
    AmbiguousError,
    AuthError,
    ControlPlaneError,
    ForbiddenError,
    TransientError,
)

_log = logging.getLogger(__name__)

AUTH_PAUSE = timedelta(seconds=60)
FORBIDDEN_PAUSE = timedelta(minutes=5)

LONGEST_BACK_OFF = timedelta(seconds=15)
"""One call in so long shows that an outage is over before anybody misses us."""

CALLS_AT_ONCE = 8
"""Calls made side by side; a control plane that fails meets no more of them before we stop."""

_TOKEN, _CREATES = "token", "creates"
"""What may be refused to us."""

_UNWELL = (TransientError, AmbiguousError, AuthError)


@dataclass(slots=True, kw_only=True)
class Health:
    """What is remembered of a control plane: when it may be called, and what is wrong with it.

    `failures` counts the readings in a row that failed. `is_proven` means that the newest calls
    were answered, so that more than one at a time may be made.
    """

    failures: int = 0
    calls_after: datetime | None = None
    is_proven: bool = False
    _trouble: str = ""
    _creates_failed: int = 0
    _creates_after: datetime | None = None
    _create_trouble: str = ""
    _refusals: dict[str, str] = field(default_factory=dict)
    _is_known: bool = False

    def may_call(self, now: datetime) -> bool:
        """Return whether the control plane may be called at all."""
        return is_due(self.calls_after, now)

    def may_create(self, now: datetime) -> bool:
        """Return whether new trainings may be created."""
        return is_due(self._creates_after, now)

    @property
    def calls_at_once(self) -> int:
        """How many calls may be made side by side: one until it was answered."""
        return CALLS_AT_ONCE if self.is_proven else 1

    @property
    def is_creating_well(self) -> bool:
        """Whether the newest create was answered; if not, the next one goes alone."""
        return self._creates_failed == 0

    @property
    def trouble(self) -> str:
        """What is wrong, "" when nothing is known to be."""
        return self._trouble or self._create_trouble

    @property
    def refusal(self) -> str | None:
        """What only a person can mend, "" where nothing is to be; None while nobody answers."""
        refusals = "; ".join(self._refusals.values())
        return refusals if refusals or self._is_known else None

    def read_well(self) -> None:
        """Note a reading that was good."""
        self.failures, self.calls_after, self._trouble = 0, None, ""
        self._is_known = True
        self._refusals.pop(_TOKEN, None)

    def fail(self, error: ControlPlaneError, now: datetime) -> None:
        """Note an error that concerns every call: leave the control plane alone for a while."""
        self.failures += 1
        wait = AUTH_PAUSE if isinstance(error, AuthError) else _back_off(self.failures)
        self.calls_after = now + _no_shorter(wait, error)
        if self._trouble != str(error):
            _log.warning("The control plane cannot be used for now: %s", error)
        self._trouble = str(error)
        self._is_known = False
        if isinstance(error, AuthError):
            self._refusals[_TOKEN] = f"the control plane lets us in no more: {error}"

    def called(self, errors: Sequence[ControlPlaneError | None], now: datetime) -> None:
        """Note how calls made side by side ended, None for one that was answered."""
        self.is_proven = any(not isinstance(error, _UNWELL) for error in errors)
        refused = next((error for error in errors if isinstance(error, AuthError)), None)
        if refused is not None:
            self.fail(refused, now)

    def created(self) -> None:
        """Note a create that was answered, if only by a refusal of what it asked for."""
        self._creates_failed, self._creates_after, self._create_trouble = 0, None, ""
        self._refusals.pop(_CREATES, None)

    def create_failed(self, error: ControlPlaneError, now: datetime) -> None:
        """Note a create that says nothing good about the next one: creates pause for a while."""
        self._creates_failed += 1
        if isinstance(error, ForbiddenError):
            wait = FORBIDDEN_PAUSE
            _log.error("Creates pause for %s: %s", wait, error)
            self._create_trouble = f"creates are forbidden: {error}"
            self._refusals[_CREATES] = self._create_trouble
        else:
            wait = _back_off(self._creates_failed)
            self._create_trouble = f"creates fail: {error}"
        self._creates_after = now + _no_shorter(wait, error)


def _back_off(failures: int) -> timedelta:
    """Return how long to leave a control plane alone that failed so often in a row."""
    return min(timedelta(seconds=2.0 * 1.5 ** min(failures, 12)), LONGEST_BACK_OFF)


def _no_shorter(wait: timedelta, error: ControlPlaneError) -> timedelta:
    """Return `wait`, or the longer one that the control plane itself asked for."""
    asked = asked_wait(getattr(error, "retry_after", None))
    return min(max(wait, asked), LONGEST_WAIT)
