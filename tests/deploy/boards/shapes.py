"""The few shapes that pictures of boards are made of, as SVG."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

INK, FAINT, PANEL, EDGE, GROUND = "#D8D9DA", "#8E8E93", "#181B1F", "#2C3235", "#111217"


@dataclass(frozen=True, kw_only=True)
class Box:
    """Where something is drawn."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, kw_only=True)
class Span:
    """The stretch of time that is shown."""

    since: float
    until: float

    def at(self, box: Box, moment: float) -> float:
        """Return where a moment is."""
        return box.x + box.w * (moment - self.since) / (self.until - self.since)


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: float = 13,
    ink: str = INK,
    weight: int = 400,
    anchor: str = "start",
) -> str:
    """Return words at a place: their start, or what `anchor` says."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}" fill="{ink}" '
        f'font-weight="{weight}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def rect(box: Box, colour: str, *, opacity: float = 1, edge: str = "none") -> str:
    """Return a filled box."""
    return (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.w:.1f}" height="{box.h:.1f}" '
        f'fill="{colour}" opacity="{opacity}" stroke="{edge}"/>'
    )


def line(start: tuple[float, float], end: tuple[float, float], colour: str, dash: str) -> str:
    """Return a dashed line."""
    return (
        f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" '
        f'stroke="{colour}" stroke-dasharray="{dash}" opacity="0.9"/>'
    )


def clock(plot: Box, span: Span) -> Iterator[str]:
    """Return the times below a plot."""
    for number in range(5):
        moment = span.since + (span.until - span.since) * (number + 0.5) / 5
        words = datetime.fromtimestamp(moment, UTC).strftime("%H:%M")
        where = span.at(plot, moment)
        yield text(where, plot.y + plot.h + 16, words, size=11, ink=FAINT, anchor="middle")
