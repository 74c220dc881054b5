"""Telling the service manager (systemd, or a container engine) how the daemon is.

What sd_notify(3) writes is a datagram of a few words; a library for it would be longer than the
socket call, and the two that there are want libsystemd, or are no longer kept.
"""

import contextlib
import os
import socket
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Self

from sweeper.domain.record import Event, SweepRecord
from sweeper.domain.trial import TrialState
from sweeper.ports import TickSummary
from sweeper.telemetry.phrases import phrase_name, phrase_totals

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")

_SHOWN = (
    TrialState.ACTIVE,
    TrialState.WAITING,
    TrialState.COMPLETED,
    TrialState.FAILED,
    TrialState.HELD,
)


class ServiceManager:
    """Whoever is to hear that the daemon has started, is alive, and ends; a Telemetry.

    Without an address nobody is told. Nothing here raises or waits: a manager that does not
    listen is its own affair.
    """

    def __init__(self, address: str | None) -> None:
        self._address = address

    @classmethod
    def taken_from(cls, environment: MutableMapping[str, str]) -> Self:
        """Return the one that `environment` names, and remove it there: trainings have none."""
        found = {name: environment.pop(name, None) for name in _VARIABLES}
        return cls(found["NOTIFY_SOCKET"])

    def started(self) -> None:
        """Tell that the sweep is ours: what begins after us may count on it."""
        self._tell({"READY": "1"})

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        """Do nothing: the tick that follows tells the same."""

    def ticked(self, summary: TickSummary) -> None:
        """Feed the watchdog, and say how the sweep is."""
        self._tell({"WATCHDOG": "1", "STATUS": _status(summary)})

    def ticks_ended(self) -> None:
        """Have the watchdog wait for no more ticks: results are written, metrics linger."""
        self._tell({"WATCHDOG_USEC": "0"})

    def ending(self) -> None:
        """Tell that the process is about to end."""
        self._tell({"STOPPING": "1"})

    def _tell(self, words: Mapping[str, str]) -> None:
        if not self._address:
            return
        # An @ stands for the zero byte of an address that has no file.
        address = self._address.replace("@", "\0", 1)
        text = "\n".join(f"{name}={word}" for name, word in words.items())
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
        ):
            sender.setblocking(False)
            sender.sendto(text.encode(), address)


def _status(summary: TickSummary) -> str:
    sweep = summary.sweep
    totals = phrase_totals(summary.totals, sweep.planned, _SHOWN)
    parts = (f"{phrase_name(sweep.name)} is {sweep.state}", totals, summary.trouble)
    return "; ".join(part for part in parts if part).replace("\n", " ")


def service_manager() -> ServiceManager:
    """Return the service manager of this process."""
    return ServiceManager.taken_from(os.environ)
