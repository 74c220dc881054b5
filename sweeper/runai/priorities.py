"""Who goes first when more calls wait than may pass."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType

from sweeper.runai.operations import Operation

SHARE = 8
"""Of so many turns that were fought over, one goes to whoever has waited longest."""


class Priority(IntEnum):
    """The classes of calls; the lowest number goes first."""

    CANCEL = 0
    LOOK_UP = 1
    OBSERVE = 2
    STEER = 3
    CREATE = 4


PRIORITIES: Mapping[Operation, Priority] = MappingProxyType(
    {
        Operation.DELETE: Priority.CANCEL,
        Operation.FIND: Priority.LOOK_UP,
        Operation.GET: Priority.OBSERVE,
        Operation.LIST: Priority.OBSERVE,
        Operation.EVENTS: Priority.OBSERVE,
        Operation.PROJECTS: Priority.OBSERVE,
        Operation.CLUSTERS: Priority.OBSERVE,
        Operation.SUSPEND: Priority.STEER,
        Operation.RESUME: Priority.STEER,
        Operation.CREATE: Priority.CREATE,
    }
)
"""The class of each call but TOKEN, which passes with the call that needs the token."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A place in the line; `wake` is set when it is worth looking whose turn it is."""

    priority: Priority
    number: int
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Line:
    """Those who wait, at most `most` of each class, so that no class can crowd out another.

    The highest class is served first, within a class who came first. Every `SHARE`-th turn goes
    to whoever has waited longest instead, so a stream of urgent calls only slows the others.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._classes: dict[Priority, dict[Ticket, None]] = {one: {} for one in Priority}
        self._joined = 0
        self._turns = 0

    def __len__(self) -> int:
        return sum(map(len, self._classes.values()))

    def join(self, priority: Priority) -> Ticket | None:
        """Return a place at the end of the class, None when too many wait there already."""
        waiting = self._classes[priority]
        if len(waiting) >= self._most:
            return None
        self._joined += 1
        ticket = Ticket(priority=priority, number=self._joined)
        waiting[ticket] = None
        return ticket

    def first(self) -> Ticket | None:
        """Return whose turn it is, None when nobody waits."""
        heads = [next(iter(waiting)) for waiting in self._classes.values() if waiting]
        if self._turns % SHARE == SHARE - 1:
            return min(heads, key=lambda ticket: ticket.number, default=None)
        return heads[0] if heads else None

    def serve(self, ticket: Ticket) -> None:
        """Let one go whose turn it is."""
        self.leave(ticket)
        if len(self):
            self._turns += 1

    def leave(self, ticket: Ticket) -> None:
        """Take one out of the line; who is out already stays out."""
        self._classes[ticket.priority].pop(ticket, None)

    def call_first(self) -> None:
        """Wake whose turn it is."""
        ticket = self.first()
        if ticket is not None:
            ticket.wake.set()

    def call_all(self) -> None:
        """Wake everybody: there may be nothing left to wait for."""
        for waiting in self._classes.values():
            for ticket in waiting:
                ticket.wake.set()
