"""What the boards draw over time: lines, stacks and bands, as SVG."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.deploy.boards.shapes import EDGE, FAINT, Box, Span, clock, line, rect, text
from tests.deploy.boards.values import PALETTE, coloured, formatted, hexadecimal, named, ticks

Points = list[tuple[float, float]]

Panel = Mapping[str, Any]

Answers = Sequence[Sequence[Any]]
"""What Prometheus answered to each query of a panel."""

Layer = list[tuple[float, float, float]]
"""By moment, from where to where a series reaches."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line of a panel."""

    name: str
    points: Points
    colour: str
    style: Mapping[str, Any]

    @property
    def last(self) -> float:
        """Its newest value."""
        return self.points[-1][1] if self.points else math.nan


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A moment that is marked in all panels."""

    at: float
    colour: str


def series_of(panel: Panel, answers: Answers) -> list[Series]:
    """Return the lines of a panel, without what is no number."""
    found: list[Series] = []
    for target, answer in zip(panel["targets"], answers, strict=True):
        for one in answer:
            name = named(target, one["metric"])
            points = [
                (float(at), float(text))
                for at, text in one.get("values", [one.get("value")])
                if math.isfinite(float(text))
            ]
            style = overridden(panel, name)
            colour = hexadecimal(
                style.get("color", {}).get("fixedColor", PALETTE[len(found) % len(PALETTE)])
            )
            found.append(Series(name=name, points=points, colour=colour, style=style))
    return found


def overridden(panel: Panel, name: str) -> dict[str, Any]:
    """Return what a panel says of the field of this name alone."""
    return {
        item["id"]: item["value"]
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"]["options"] == name
        for item in override["properties"]
    }


def spark(one: Series, box: Box, colour: str) -> str:
    """Return the course of a tile's value, to stand behind it."""
    values = [value for _, value in one.points]
    low, high = min(values), max(values)
    width = len(one.points) - 1
    spots = [
        f"{box.x + box.w * n / width:.1f},"
        f"{box.y + box.h * (1 - 0.9 * (value - low) / ((high - low) or 1)):.1f}"
        for n, value in enumerate(values)
    ]
    path = f"M{box.x},{box.y + box.h} L" + " L".join(spots) + f" L{box.x + box.w},{box.y + box.h}Z"
    return f'<path d="{path}" fill="{colour}" opacity="0.25"/>'


def states(panel: Panel, box: Box, answers: Answers, span: Span) -> Iterator[str]:
    """Return a band for each series, coloured by its value."""
    defaults = panel["fieldConfig"]["defaults"]
    found = series_of(panel, answers)
    height = (box.h - 56) / max(len(found), 1)
    for number, one in enumerate(found):
        lane = Box(x=box.x + 120, y=box.y + number * height + 4, w=box.w - 120, h=height - 8)
        yield text(box.x, lane.y + lane.h / 2 + 4, one.name, size=12, ink=FAINT)
        for (at, value), (until, _) in pairwise(one.points):
            left, right = span.at(lane, at), span.at(lane, until)
            part = Box(x=left, y=lane.y, w=right - left + 0.5, h=lane.h)
            yield rect(part, coloured(value, defaults["thresholds"]["steps"]))
    yield from clock(Box(x=box.x + 120, y=box.y, w=box.w - 120, h=box.h - 44), span)
    said = defaults["mappings"][0]["options"].values()
    entries = [(option["text"], hexadecimal(option["color"])) for option in said]
    yield from _legend(entries, box)


def chart(
    panel: Panel, box: Box, answers: Answers, span: Span, marks: Sequence[Mark]
) -> Iterator[str]:
    """Return lines or stacked areas with axes, thresholds, marks and a legend."""
    defaults = panel["fieldConfig"]["defaults"]
    custom, unit = defaults["custom"], defaults["unit"]
    found = [one for one in series_of(panel, answers) if one.points]
    digits = defaults.get("decimals", 6)
    entries = [
        (f"{one.name}  {formatted(round(one.last, digits), unit)}", one.colour) for one in found
    ]
    rows = len(_rows(entries, box.w))
    plot = Box(x=box.x + 58, y=box.y, w=box.w - 62, h=box.h - 26 - 18 * rows)
    if not found:
        where = plot.x + plot.w / 2
        yield text(where, plot.y + plot.h / 2, "No data", size=15, anchor="middle")
        return
    layers = _layers(found, is_stacked=custom.get("stacking", {}).get("mode") == "normal")
    tops = [high for layer in layers for _, _, high in layer]
    floor = 0.0 if "min" in defaults else min(tops)
    scale = ticks(floor, max([*tops, floor + 1e-3]) if any(tops) else 1.0, unit)

    def height(value: float) -> float:
        share = (value - scale[0]) / (scale[-1] - scale[0])
        return plot.y + plot.h * (1 - max(share, 0))

    for tick in scale:
        yield rect(Box(x=plot.x, y=height(tick), w=plot.w, h=1), EDGE)
        words = formatted(tick, unit) if tick else "0"
        yield text(plot.x - 6, height(tick) + 4, words, size=11, ink=FAINT, anchor="end")
    yield from clock(plot, span)
    for one, layer in zip(found, layers, strict=True):
        style = {**{f"custom.{name}": value for name, value in custom.items()}, **one.style}
        for stretch in _stretches(layer):
            spots = [(span.at(plot, at), height(low), height(high)) for at, low, high in stretch]
            yield from _curve(spots, one.colour, style)
    for step in defaults["thresholds"]["steps"][1:]:
        if scale[0] <= step["value"] <= scale[-1]:
            y = height(step["value"])
            yield line((plot.x, y), (plot.x + plot.w, y), hexadecimal(step["color"]), "8 6")
    for mark in marks:
        x = span.at(plot, mark.at)
        yield line((x, plot.y), (x, plot.y + plot.h), hexadecimal(mark.colour), "3 3")
    yield from _legend(entries, box)


def _layers(found: Sequence[Series], *, is_stacked: bool) -> list[Layer]:
    reached: dict[float, float] = {}
    layers: list[Layer] = []
    for one in found:
        stands_alone = one.style.get("custom.stacking", {}).get("mode") == "none"
        if not is_stacked or stands_alone:
            layers.append([(at, 0.0, value) for at, value in one.points])
            continue
        layer = [(at, low := reached.get(at, 0.0), low + value) for at, value in one.points]
        reached |= {at: high for at, _, high in layer}
        layers.append(layer)
    return layers


def _stretches(layer: Layer) -> Iterator[Layer]:
    """Return the parts of a line between which nothing was known."""
    if len(layer) < 3:
        yield layer
        return
    step = min(later[0] - earlier[0] for earlier, later in pairwise(layer))
    start = 0
    for number, (earlier, later) in enumerate(pairwise(layer), start=1):
        if later[0] - earlier[0] > 1.5 * step:
            yield layer[start:number]
            start = number
    yield layer[start:]


def _curve(
    spots: Sequence[tuple[float, float, float]], colour: str, style: Mapping[str, Any]
) -> Iterator[str]:
    over = [f"{x:.1f},{high:.1f}" for x, _, high in spots]
    under = [f"{x:.1f},{low:.1f}" for x, low, _ in spots]
    opacity = style["custom.fillOpacity"] / 100
    if opacity:
        area = " L".join([*over, *reversed(under)])
        yield f'<path d="M{area}Z" fill="{colour}" opacity="{opacity}"/>'
    width = style["custom.lineWidth"]
    if width:
        is_dashed = style.get("custom.lineStyle", {}).get("fill") == "dash"
        dash = ' stroke-dasharray="9 7"' if is_dashed else ""
        yield (
            f'<path d="M{" L".join(over)}" fill="none" stroke="{colour}" '
            f'stroke-width="{width}"{dash}/>'
        )


def _rows(entries: Sequence[tuple[str, str]], width: float) -> list[list[tuple[str, str]]]:
    rows: list[list[tuple[str, str]]] = [[]]
    free = width
    for entry in entries:
        need = 7 * len(entry[0]) + 36
        if need > free and rows[-1]:
            rows.append([])
            free = width
        rows[-1].append(entry)
        free -= need
    return rows


def _legend(entries: Sequence[tuple[str, str]], box: Box) -> Iterator[str]:
    rows = _rows(entries, box.w)
    for number, row in enumerate(rows):
        x, y = box.x, box.y + box.h - 18 * (len(rows) - number) + 16
        for words, colour in row:
            yield rect(Box(x=x, y=y - 5, w=14, h=4), colour)
            yield text(x + 20, y, words, size=12)
            x += 7 * len(words) + 36
