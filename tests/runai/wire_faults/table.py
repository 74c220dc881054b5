"""What every call makes of every fault: the table that the tests go through and the docs show.

    python -m tests.runai.wire_faults.table

prints it as it stands in docs/reliability.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby

from sweeper.runai.operations import Operation

COLUMNS = (
    Operation.CREATE,
    Operation.SUSPEND,
    Operation.RESUME,
    Operation.DELETE,
    Operation.GET,
    Operation.LIST,
    Operation.FIND,
    Operation.EVENTS,
    Operation.TOKEN,
)
WRITES = COLUMNS[:4]
READS = COLUMNS[4:]


class Moment(StrEnum):
    """When a fault strikes: the request arrives nowhere, is kept back, or was carried out."""

    NOWHERE = "not arrived"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault at one moment, and what each call is told; reads know no "after".

    `attempts` is how often a call that may be repeated arrives while the fault goes on; a create
    arrives once. Where it is otherwise, `odd` says how often. A row that `waits` takes time, which
    is virtual.
    """

    fault: str
    moment: Moment
    outcomes: Mapping[Operation, str]
    attempts: int = 4
    odd: Mapping[Operation, int] = field(default_factory=dict)
    waits: bool = False

    @property
    def name(self) -> str:
        """Return what tells the row from all others."""
        return f"{self.fault}, {self.moment}"

    def arrivals(self, operation: Operation) -> int:
        """Return how many requests arrive of one call, which meets the fault all the time."""
        is_once = operation is Operation.CREATE or self.outcomes[operation] == "ok"
        return self.odd.get(operation, 1 if is_once else self.attempts)


def _all(words: str) -> Mapping[Operation, str]:
    """Return the outcomes given in the order of the columns."""
    return dict(zip(COLUMNS, words.split(), strict=True))


def _writes(word: str) -> Mapping[Operation, str]:
    return dict.fromkeys(WRITES, word)


_UNSENT = _all(" ".join(["unsent"] * 9))
_OPEN = _all("open open open open transient transient transient transient unsent")
_OPEN_CREATE = _all("open ok ok ok transient transient transient transient unsent")
_NO_TELLING = _all("open ok ok ok transient ok ok transient unsent")


def _row(
    fault: str,
    outcomes: Mapping[Operation, str] = _OPEN,
    *,
    attempts: int = 4,
    odd: Mapping[Operation, int] | None = None,
    waits: bool = False,
) -> Iterator[Row]:
    """Return the rows of a fault that strikes before the control plane hears of it, and after."""
    before = Row(
        fault=fault,
        moment=Moment.BEFORE,
        outcomes=outcomes,
        attempts=attempts,
        odd=odd or {},
        waits=waits,
    )
    writes = {call: word for call, word in outcomes.items() if call in WRITES}
    return iter((before, replace(before, moment=Moment.AFTER, outcomes=writes)))


def _unsent(fault: str, *, waits: bool) -> Row:
    """Return the row of a fault that keeps every request on this machine."""
    return Row(
        fault=fault,
        moment=Moment.NOWHERE,
        outcomes=_UNSENT,
        attempts=0,
        odd={Operation.CREATE: 0},
        waits=waits,
    )


def _refused(fault: str, words: str, odd: Mapping[Operation, int]) -> Row:
    """Return the row of a plain answer, which comes in place of an effect."""
    return Row(fault=fault, moment=Moment.BEFORE, outcomes=_all(words), attempts=1, odd=odd)


ROWS: Sequence[Row] = (
    _unsent("connection refused", waits=True),
    _unsent("name unknown", waits=True),
    _unsent("no connection in time", waits=True),
    _unsent("no TLS spoken", waits=False),
    _unsent("TLS stuck", waits=True),
    *_row("connection reset"),
    *_row("connection closed"),
    *_row("no answer", attempts=1, waits=True),
    *_row("cut in the head"),
    *_row("cut in the body"),
    *_row("not HTTP"),
    *_row("one byte every 4 s", attempts=1, waits=True),
    *_row("body without end"),
    *_row("compressed 10 MB"),
    *_row("103 for ever", attempts=1, waits=True),
    *_row("307"),
    *_row("2xx, HTML"),
    *_row("2xx, empty", _OPEN_CREATE),
    *_row("2xx, a list", _OPEN_CREATE),
    *_row("2xx, no id", _OPEN_CREATE),
    *_row("2xx, another's", _NO_TELLING, odd={Operation.GET: 1}),
    *_row("999"),
    *_row("500"),
    *_row("502"),
    *_row("503"),
    *_row("504"),
    *_row("503, Retry-After 6", attempts=3, waits=True),
    Row(
        fault="429, Retry-After 6",
        moment=Moment.BEFORE,
        outcomes=_all(" ".join(["transient"] * 8 + ["unsent"])),
        attempts=3,
        waits=True,
    ),
    # With a fixed token the other calls are sent again once, with the token read anew.
    _refused(
        "401", " ".join(["auth"] * 9), {call: 2 for call in COLUMNS if call is not Operation.TOKEN}
    ),
    _refused(
        "403",
        "forbidden forbidden forbidden forbidden forbidden no-call no-call forbidden auth",
        {},
    ),
    # There are two token calls to be tried.
    _refused("404", "no-call gone gone gone gone no-call no-call gone auth", {Operation.TOKEN: 2}),
)

WORDS: Mapping[str, str] = {
    "unsent": "not sent",
    "open": "**open**",
    "transient": "no news",
    "ok": "taken",
    "auth": "token refused",
    "forbidden": "forbidden",
    "gone": "gone",
    "no-call": "no such call",
    "": "",
}
"""How the table spells an outcome."""


def documented() -> str:
    """Return the table as Markdown; rows of the same kind at both moments are one."""
    lines = [
        f"| Fault | Strikes | {' | '.join(COLUMNS)} |",
        f"|---|---|{'---|' * len(COLUMNS)}",
    ]
    for fault, rows in groupby(ROWS, key=lambda row: row.fault):
        both = list(rows)
        moments = " and ".join(row.moment for row in both)
        cells = " | ".join(WORDS[both[0].outcomes[call]] for call in COLUMNS)
        lines.append(f"| {fault} | {moments} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(documented())  # noqa: T201
