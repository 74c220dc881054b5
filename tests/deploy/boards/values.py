"""Numbers, colours and names as Grafana shows them, as far as our boards use them."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

COLOURS = {
    "green": "#73BF69",
    "super-light-green": "#C8F2C2",
    "red": "#F2495C",
    "orange": "#FF9830",
    "semi-dark-orange": "#E0752D",
    "yellow": "#F2CC0C",
    "blue": "#5794F2",
    "semi-dark-blue": "#3274D9",
    "light-blue": "#8AB8FF",
    "purple": "#B877D9",
}

PALETTE = (
    *("#7EB26D", "#EAB839", "#6ED0E0", "#EF843C", "#E24D42", "#1F78C1"),
    *("#BA43A9", "#705DA0", "#508642", "#CCA300", "#447EBC", "#C15C17"),
)
"""What series get that have no colour of their own."""

_TIMES = ((86400.0, "days"), (3600.0, "hours"), (60.0, "mins"), (1.0, "s"))
_BYTES = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"))


def hexadecimal(colour: str) -> str:
    """Return a colour by its number."""
    return COLOURS.get(colour, colour)


def formatted(value: float, unit: str) -> str:
    """Return a value with its unit."""
    if not math.isfinite(value):
        return "-"
    if unit == "s":
        return _time(value)
    if unit == "percentunit":
        return f"{_number(value * 100)}%"
    if unit == "percent":
        return f"{_number(value)}%"
    if unit == "mbytes":
        return formatted(value * 2**20, "bytes")
    if unit == "bytes":
        size, name = next(((size, name) for size, name in _BYTES if value >= size), (1.0, "B"))
        return f"{_number(value / size)} {name}"
    if unit == "reqps":
        return f"{_number(value)} req/s"
    return _number(value)


def _time(value: float) -> str:
    if 0 < abs(value) < 1:
        return f"{_number(value * 1000)} ms"
    size, name = next(((size, name) for size, name in _TIMES if abs(value) >= size), (1.0, "s"))
    return f"{_number(value / size)} {name}"


def _number(value: float) -> str:
    if abs(value) >= 1e6:
        return f"{value / 1e6:.3g} Mil"
    if abs(value) >= 1e4:
        return f"{value / 1e3:.3g} K"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def coloured(value: float, steps: Sequence[Mapping[str, Any]]) -> str:
    """Return the colour of a value by its thresholds."""
    chosen = steps[0]
    for step in steps[1:]:
        if value >= step["value"]:
            chosen = step
    return hexadecimal(chosen["color"])


def named(target: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Return what the legend calls a series."""
    legend: str = target["legendFormat"]
    if legend == "__auto":
        return ", ".join(value for name, value in labels.items() if name != "__name__") or "value"
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), legend)


def ticks(low: float, high: float, unit: str) -> list[float]:
    """Return round values from below `low` to above `high`, to draw lines at."""
    span = max(high - low, 1e-9)
    if unit == "s" and span > 45:
        steps = [10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 172800]
        step = next((float(one) for one in steps if span / one <= 5), span / 4)
    else:
        base = 10.0 ** math.floor(math.log10(span / 4))
        step = next(base * by for by in (1, 2, 2.5, 5, 10) if span / (base * by) <= 5)
    first = math.floor(low / step)
    last = math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]
