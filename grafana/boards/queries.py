"""Pieces of PromQL that the boards share."""

from collections.abc import Mapping
from types import MappingProxyType

_NONE: Mapping[str, str] = MappingProxyType({})

OVER = "max by (sweep)"
"""A gauge of a sweep whose daemon was started anew elsewhere may stand in two instances."""

SETTLED = "completed|pruned|failed|cancelled"
"""The states in which a trial is over, as a pattern."""


def of_sweep(metric: str, but: Mapping[str, str] = _NONE, **labels: str) -> str:
    """Return a selector of the sweeps and instances that are chosen above the board.

    A label's value is a pattern; so are those that `but` leaves out.
    """
    return _selector(metric, {"sweep": "$sweep", "instance": "$instance", **labels}, but)


def of_instance(metric: str, but: Mapping[str, str] = _NONE, **labels: str) -> str:
    """Return a selector of the chosen instances, for metrics without a sweep."""
    return _selector(metric, {"instance": "$instance", **labels}, but)


def rate(selector: str, by: str = "", window: str = "$__rate_interval") -> str:
    """Return how fast counters grow a second, summed over all but the labels `by`."""
    return f"sum{_by(by)} (rate({selector}[{window}]))"


def increase(selector: str, by: str = "", window: str = "1h") -> str:
    """Return by how much counters grew within the window, summed over all but the labels `by`."""
    return f"sum{_by(by)} (increase({selector}[{window}]))"


def quantile(share: float, selector: str, by: str = "", window: str = "1h") -> str:
    """Return a quantile of what a histogram was told within the window.

    The selector names the histogram's buckets.
    """
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {increase(selector, labels, window)})"


def latest(selector: str) -> str:
    """Return the last value of each sweep within the time shown, of ended daemons too."""
    return f"{OVER} (last_over_time({selector}[$__range]))"


def ago(selector: str) -> str:
    """Return the seconds since a point in time that a gauge tells."""
    return f"time() - {OVER} ({selector})"


def _selector(metric: str, labels: Mapping[str, str], but: Mapping[str, str]) -> str:
    chosen = [f'{name}=~"{pattern}"' for name, pattern in labels.items()]
    left_out = [f'{name}!~"{pattern}"' for name, pattern in but.items()]
    return f"{metric}{{{', '.join(chosen + left_out)}}}"


def _by(labels: str) -> str:
    return f" by ({labels})" if labels else ""
