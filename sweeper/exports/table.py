"""Results as a table for a person: the best trial first, what varies in columns."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal

from rich import box
from rich.table import Table
from rich.text import Text

from sweeper.domain.sweep import Goal
from sweeper.domain.trial import TrialState
from sweeper.domain.wording import shortened
from sweeper.exports.cells import number_of, visible
from sweeper.exports.rows import PARAMS, Row, flat

STATE_STYLES: Mapping[str, str] = MappingProxyType(
    {
        TrialState.WAITING: "dim",
        TrialState.SUBMITTING: "cyan",
        TrialState.ACTIVE: "blue",
        TrialState.INTERRUPTED: "yellow",
        TrialState.RESUMING: "yellow",
        TrialState.PARKED: "cyan",
        TrialState.HELD: "bold magenta",
        TrialState.COMPLETED: "green",
        TrialState.FAILED: "red",
        TrialState.PRUNED: "green",
        TrialState.CANCELLED: "dim",
    }
)
"""The colour of each state, the same wherever it is shown."""

COLUMNS_BOUND = 12
"""Parameters that get a column; a table with more could not be read."""

CELL_BOUND = 48


def results_table(
    rows: Sequence[Row],
    *,
    objective: str | None = None,
    goal: str | None = None,
    limit: int | None = None,
    total: int | None = None,
) -> Table:
    """Return a table of `rows`, best first, then those without an objective by number.

    `objective` is the name of the objective's column, `goal` a `Goal`. With `limit`, only so
    many rows are shown; `total` is how many trials there are where `rows` are not all of them.
    Params that are the same in every row, and those beyond `COLUMNS_BOUND`, are told below.
    """
    ranked = best_first(rows, goal)
    params = [_params_of(row) for row in ranked]
    varying, constant = _split(params)
    shown = ranked if limit is None else ranked[: max(limit, 0)]
    names = varying[:COLUMNS_BOUND]
    hidden = max(len(ranked) if total is None else total, len(ranked)) - len(shown)
    table = Table(box=box.SIMPLE_HEAD, caption=_caption(varying, constant, hidden))
    # Where the terminal is narrow, params give way; what every table is read for stays whole.
    table.add_column("trial", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for name in names:
        table.add_column(Text(_short(name)), overflow="fold")
    table.add_column(Text(_short(objective or "objective")), justify="right", no_wrap=True)
    further = [column for column in _FURTHER if any(column.text_of(row) for row in shown)]
    for column in further:
        table.add_column(column.name, justify=column.justify, overflow="fold")
    for row, point in zip(shown, params, strict=False):
        table.add_row(
            *_cells(row, point, names), *(Text(column.text_of(row)) for column in further)
        )
    return table


def best_first(rows: Sequence[Row], goal: str | None) -> list[Row]:
    """Return the rows with the best objective first; without one they follow, by number."""
    sign = -1 if goal == Goal.MAXIMIZE else 1

    def rank(row: Row) -> tuple[bool, float, int]:
        value = row.get("objective")
        return value is None, 0.0 if value is None else sign * value, row["trial"]

    return sorted(rows, key=rank)


def _cells(row: Row, params: Mapping[str, Any], names: Sequence[str]) -> list[Text]:
    state = str(row["state"])
    return [
        Text(str(row["trial"])),
        Text(_short(state), style=STATE_STYLES.get(state, "")),
        *(Text(shortened(number_of(params.get(name)), CELL_BOUND)) for name in names),
        Text(number_of(row.get("objective"))),
    ]


def _params_of(row: Row) -> dict[str, Any]:
    found = flat({"params": row.get("params") or {}})
    return {name.removeprefix(PARAMS): value for name, value in found.items()}


def _split(params: Sequence[Mapping[str, Any]]) -> tuple[list[str], dict[str, Any]]:
    """Return the names of params that vary, and the params that are the same in every row."""
    names = dict.fromkeys(name for point in params for name in point)
    constant: dict[str, Any] = {}
    for name in names:
        values = {json.dumps([point[name]] if name in point else []) for point in params}
        if len(params) > 1 and len(values) == 1:
            constant[name] = params[0][name]
    return [name for name in names if name not in constant], constant


def _caption(varying: Sequence[str], constant: Mapping[str, Any], hidden: int) -> Text | None:
    parts = []
    if hidden:
        parts.append(f"{hidden} more not shown")
    if len(varying) > COLUMNS_BOUND:
        parts.append(f"{len(varying) - COLUMNS_BOUND} more parameters vary")
    if constant:
        same = [f"{_short(name)}={_short(number_of(value))}" for name, value in constant.items()]
        parts.append(f"in every trial: {shortened(', '.join(same), 4 * CELL_BOUND)}")
    return Text("; ".join(parts)) if parts else None


def _short(text: str) -> str:
    return shortened(visible(text), CELL_BOUND)


def _attempts(row: Row) -> str:
    attempts = row.get("attempts")
    return str(attempts) if isinstance(attempts, int) and attempts > 1 else ""


def _length(row: Row) -> str:
    seconds = row.get("duration_seconds")
    return str(timedelta(seconds=round(seconds))) if isinstance(seconds, int | float) else ""


def _reason(row: Row) -> str:
    return _short(str(row.get("reason") or "")) if row["state"] in _WITH_REASON else ""


_WITH_REASON = {TrialState.FAILED, TrialState.HELD, TrialState.INTERRUPTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    name: str
    justify: Literal["left", "right"]
    text_of: Callable[[Row], str]


_FURTHER = (
    _Column(name="attempts", justify="right", text_of=_attempts),
    _Column(name="time", justify="right", text_of=_length),
    _Column(name="reason", justify="left", text_of=_reason),
)
"""Columns that a table has only if one of its rows has something to say there."""
