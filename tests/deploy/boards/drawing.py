"""Draw a board from recorded answers of Prometheus, in the board's own layout, as SVG.

Grafana itself is not at hand where this is made; the colours, sizes and kinds of panels are those
that the board's JSON asks for, drawn as Grafana would.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tests.deploy.boards import charts
from tests.deploy.boards.charts import Answers, Mark, Panel, overridden, series_of
from tests.deploy.boards.shapes import EDGE, FAINT, GROUND, INK, PANEL, Box, Span, rect, text
from tests.deploy.boards.values import coloured, formatted

WIDTH, UNIT, GAP = 1640, 38, 8

LINK = "#6E9FFF"

ALL_SWEEPS = ".*"

Answer = Callable[[Panel, int, str], Sequence[Any]]
"""What was recorded of a panel's query: by panel, its number, and the sweep."""

Marked = Callable[[str], Sequence[Mark]]
"""What was marked, by sweep."""


def draw(
    board: Mapping[str, Any], answer: Answer, span: Span, sweeps: Sequence[str], marked: Marked
) -> str:
    """Return a picture of a board; a row that is repeated is drawn for each of the sweeps."""
    title = board["title"]
    parts = [
        text(20, 40, title, size=22, weight=600),
        text(40 + 14.5 * len(title), 40, board["description"], size=14, ink=FAINT),
    ]
    height = 60.0
    for row, inside in _sections(board):
        top = min(panel["gridPos"]["y"] for panel in inside)
        bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in inside)
        for sweep in sweeps if "repeat" in row else (ALL_SWEEPS,):
            words = sweep if "repeat" in row else row["title"]
            parts.append(text(20, height + 20, f"▾ {words}", size=16, weight=600))
            for panel in inside:
                answers = [answer(panel, n, sweep) for n in range(len(panel["targets"]))]
                box = _place(panel["gridPos"], top, height + 32)
                parts += _panel(panel, box, answers, span, marked(sweep))
            height += 36 + (bottom - top) * UNIT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height + 8:.0f}" '
        'font-family="Inter, DejaVu Sans, sans-serif">'
        f'<rect width="100%" height="100%" fill="{GROUND}"/>{"".join(parts)}</svg>'
    )


def _sections(board: Mapping[str, Any]) -> Sequence[tuple[Panel, list[Panel]]]:
    """Return the rows of a board, each with the panels below it."""
    found: list[tuple[Panel, list[Panel]]] = []
    for panel in board["panels"]:
        if panel["type"] == "row":
            found.append((panel, []))
        else:
            found[-1][1].append(panel)
    return found


def _place(grid: Mapping[str, int], top: int, offset: float) -> Box:
    column = (WIDTH - 32) / 24
    return Box(
        x=16 + grid["x"] * column,
        y=offset + (grid["y"] - top) * UNIT,
        w=grid["w"] * column - GAP,
        h=grid["h"] * UNIT - GAP,
    )


def _panel(
    panel: Panel, box: Box, answers: Answers, span: Span, marks: Sequence[Mark]
) -> Iterator[str]:
    yield rect(box, PANEL, edge=EDGE)
    inner = Box(x=box.x + 12, y=box.y + 38, w=box.w - 24, h=box.h - 50)
    match panel["type"]:
        case "stat":
            yield from _tile(panel, box, answers)
        case "gauge":
            yield from _dial(panel, inner, answers)
        case "table":
            yield from _table(panel, inner, answers)
        case "state-timeline":
            yield from charts.states(panel, inner, answers, span)
        case _:
            yield from charts.chart(panel, inner, answers, span, marks)
    yield text(box.x + 12, box.y + 22, panel["title"], size=13, weight=600)


def _tile(panel: Panel, box: Box, answers: Answers) -> Iterator[str]:
    defaults, options = panel["fieldConfig"]["defaults"], panel["options"]
    found = [one for one in series_of(panel, answers) if one.points]
    steps = defaults["thresholds"]["steps"]
    middle = box.y + box.h / 2 + 22
    if not found:
        where = box.x + box.w / 2
        yield text(where, middle, defaults["noValue"], size=24, ink=FAINT, anchor="middle")
        return
    is_filled = options["colorMode"] == "background"
    if is_filled:
        yield rect(box, coloured(found[0].last, steps), opacity=0.7)
    elif options["graphMode"] == "area" and len(found[0].points) > 2:
        lower = Box(x=box.x, y=box.y + box.h * 0.6, w=box.w, h=box.h * 0.4)
        yield charts.spark(found[0], lower, coloured(found[0].last, steps))
    for number, one in enumerate(found):
        value = round(one.last, defaults.get("decimals", 6))
        words = _word(defaults, value) or formatted(value, defaults["unit"])
        x, room = box.x + box.w * (number + 0.5) / len(found), box.w / len(found) - 16
        ink = "#FFFFFF" if is_filled else coloured(one.last, steps)
        size = min(34, room / len(words) * 1.6)
        yield text(x, middle, words, size=size, weight=600, ink=ink, anchor="middle")
        if len(found) > 1:
            yield text(x, box.y + box.h - 14, one.name, ink=FAINT, anchor="middle")


def _word(defaults: Mapping[str, Any], value: float) -> str:
    """Return what a value is called, or nothing."""
    said = [mapping["options"].get(f"{value:g}") for mapping in defaults.get("mappings", [])]
    return next((option["text"] for option in said if option), "")


def _dial(panel: Panel, box: Box, answers: Answers) -> Iterator[str]:
    defaults = panel["fieldConfig"]["defaults"]
    found = [one for one in series_of(panel, answers) if one.points]
    x, y, r = box.x + box.w / 2, box.y + box.h - 2, min(box.w / 2, box.h) - 8
    yield _arc(x, y, r, 1.0, EDGE)
    if not found:
        yield text(x, y - 6, defaults["noValue"], size=15, ink=FAINT, anchor="middle")
        return
    value = found[0].last
    colour = coloured(value, defaults["thresholds"]["steps"])
    yield _arc(x, y, r, value, colour)
    words = formatted(value, defaults["unit"])
    yield text(x, y - 2, words, size=22, weight=600, ink=colour, anchor="middle")


def _arc(x: float, y: float, r: float, share: float, colour: str) -> str:
    turn = math.pi * (1 - min(max(share, 0.001), 1))
    end = f"{x + r * math.cos(turn):.1f} {y - r * math.sin(turn):.1f}"
    path = f"M{x - r:.1f} {y:.1f} A{r:.1f} {r:.1f} 0 0 1 {end}"
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="15"/>'


def _table(panel: Panel, box: Box, answers: Answers) -> Iterator[str]:
    titles, rows = _merged(panel, answers)
    widths = [float(overridden(panel, title).get("custom.width", 0)) for title in titles]
    free = (box.w - sum(widths)) / max(widths.count(0), 1)
    widths = [width or free for width in widths]
    lefts = [box.x + sum(widths[:number]) for number in range(len(titles))]
    for title, left in zip(titles, lefts, strict=True):
        yield text(left + 6, box.y + 12, title, weight=600, ink=LINK)
    for number, row in enumerate(rows[: int(box.h // 28) - 1]):
        y = box.y + 40 + number * 28
        yield rect(Box(x=box.x, y=y - 20, w=box.w, h=1), EDGE)
        for title, left, width in zip(titles, lefts, widths, strict=True):
            place = Box(x=left + 6, y=y, w=width - 12, h=16)
            yield from _cell(row.get(title), overridden(panel, title), place)


def _merged(panel: Panel, answers: Answers) -> tuple[list[str], list[dict[str, str | float]]]:
    """Return titles and rows of a table, as its transformations make them."""
    organize = panel["transformations"][-1]["options"]
    named = organize["renameByName"]
    rows: list[tuple[dict[str, str], dict[str, float]]] = []
    for number, answer in enumerate(answers):
        field = "Value" if len(answers) == 1 else f"Value #{chr(ord('A') + number)}"
        for one in answer:
            labels, value = one["metric"], float(one["value"][1])
            fitting = [row for row in rows if all(row[0].get(n, v) == v for n, v in labels.items())]
            if not fitting:
                fitting = [({}, {})]
                rows += fitting
            for row in fitting:
                row[0].update(labels)
                row[1][field] = value
    places = sorted(organize["indexByName"], key=lambda field: organize["indexByName"][field])
    told: list[dict[str, str | float]] = []
    for labels, values in rows:
        fields: dict[str, str | float] = {**labels, **values}
        told.append({named[name]: value for name, value in fields.items() if name in named})
    sort = panel["options"]["sortBy"][0]
    # What has no value stands first, as it does in Grafana.
    told.sort(key=lambda row: (sort["displayName"] in row, row.get(sort["displayName"], "")))
    return [named[field] for field in places], told[::-1] if sort["desc"] else told


def _cell(value: str | float | None, style: Mapping[str, Any], box: Box) -> Iterator[str]:
    if not isinstance(value, float):
        words = "-" if value is None else value
        yield text(box.x, box.y, words, ink=LINK if "links" in style else INK)
        return
    steps = style.get("thresholds", {}).get("steps")
    ink = coloured(value, steps) if steps else INK
    if style.get("custom.cellOptions", {}).get("type") == "gauge":
        bar = box.w - 56
        yield rect(Box(x=box.x, y=box.y - 12, w=bar, h=14), EDGE)
        yield rect(Box(x=box.x, y=box.y - 12, w=bar * min(value, 1), h=14), ink)
        box = Box(x=box.x + bar + 8, y=box.y, w=48, h=16)
    words = formatted(value, style["unit"])
    yield text(box.x, box.y, words, ink=ink, weight=600 if steps else 400)
