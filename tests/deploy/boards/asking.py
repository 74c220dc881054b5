"""What the boards ask of Prometheus, read from the JSON that Grafana loads."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser

ROOT = Path(__file__).parents[3]

FOLDER = ROOT / "grafana" / "dashboards"

FILES = tuple(sorted(FOLDER.glob("*.json")))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One query of a panel, or of what is marked in all panels."""

    board: str
    panel: str
    number: int
    expr: str
    is_instant: bool

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"{self.board}: {self.panel} ({self.number})"

    def for_prometheus(
        self, *, range_seconds: int = 3600, rate_seconds: int = 60, sweep: str = ".*"
    ) -> str:
        """Return the query as Grafana sends it when all instances are chosen, and this sweep."""
        values = {
            "$__rate_interval": f"{rate_seconds}s",
            "$__range": f"{range_seconds}s",
            "$sweep": sweep,
            "$instance": ".*",
        }
        text = self.expr
        for variable, value in values.items():
            text = text.replace(variable, value)
        assert "$" not in text, text
        return text


def load(file: Path) -> dict[str, Any]:
    """Return a board as Grafana reads it."""
    board: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return board


def panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the panels of a board, without the rows that part them."""
    yield from (panel for panel in board["panels"] if panel["type"] != "row")


def asked(file: Path) -> Iterator[Asked]:
    """Return all that a board asks for."""
    board = load(file)
    for panel in panels(board):
        for number, target in enumerate(panel["targets"]):
            yield Asked(
                board=file.stem,
                panel=panel["title"],
                number=number,
                expr=target["expr"],
                is_instant=bool(target.get("instant")),
            )
    for mark in board["annotations"]["list"]:
        yield Asked(
            board=file.stem, panel=mark["name"], number=0, expr=mark["expr"], is_instant=False
        )


ALL = tuple(item for file in FILES for item in asked(file))


@dataclass(frozen=True, kw_only=True)
class Selected:
    """A metric that a query selects, and the labels that it is selected by, with their patterns."""

    metric: str
    patterns: tuple[tuple[str, str], ...]

    @property
    def labels(self) -> frozenset[str]:
        """The labels alone."""
        return frozenset(label for label, _ in self.patterns)


def selected(expr: str) -> Iterator[Selected]:
    """Return the metrics of a query; anything but PromQL of right types raises ValueError."""
    for node in _nodes(promql_parser.parse(expr)):
        if isinstance(node, promql_parser.VectorSelector):
            patterns = tuple((one.name, one.value) for one in node.matchers.matchers)
            yield Selected(metric=node.name or "", patterns=patterns)


def growing(expr: str) -> Iterator[str]:
    """Return the metrics whose growth a query asks for."""
    for node in _nodes(promql_parser.parse(expr)):
        if isinstance(node, promql_parser.Call) and node.func.name in {"rate", "increase"}:
            yield from (one.metric for argument in node.args for one in selected(str(argument)))


def _nodes(node: object) -> Iterator[object]:
    yield node
    for name in ("lhs", "rhs", "expr", "param", "vector_selector"):
        inner = getattr(node, name, None)
        if inner is not None:
            yield from _nodes(inner)
    for argument in getattr(node, "args", ()):
        yield from _nodes(argument)
