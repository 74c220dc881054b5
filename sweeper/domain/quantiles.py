"""The value at a quantile of each distribution that W&B knows, as its own package computes it.

A quantile lies strictly between 0 and 1. Results are always finite, as JSON has no infinity: what
would overflow becomes the largest float.
"""

import math
import sys
from itertools import accumulate
from statistics import NormalDist
from typing import TypeAlias

from sweeper.errors import MissingExtraError

Number: TypeAlias = int | float

_LARGEST = sys.float_info.max
_EXACT_INTEGERS = 2**53
_STANDARD_NORMAL = NormalDist()


def position(quantile: float, count: int, first: int = 0) -> int:
    """Return where `quantile` falls among `count` integers from `first`, each equally likely.

    A quantile on the border of two belongs to the lower one.
    """
    if abs(first) + count >= _EXACT_INTEGERS:
        numerator, denominator = quantile.as_integer_ratio()
        return first - (-numerator * count // denominator) - 1
    # In floats, so that 0.1 of ten falls where W&B's own package (scipy's randint) puts it.
    place = math.ceil(quantile * count + first) - 1
    below = max(place - 1, first)
    return below if (below - first + 1) / count >= quantile else place


def weighted_position(quantile: float, probabilities: tuple[Number, ...]) -> int:
    """Return the first position at which the running sum of `probabilities` exceeds `quantile`.

    Rounding may leave the sum a little below 1; the last choice that has a chance takes the rest.
    """
    for place, total in enumerate(accumulate(probabilities)):
        if total > quantile:
            return place
    return max(place for place, chance in enumerate(probabilities) if chance > 0)


def uniform(quantile: float, low: Number, high: Number) -> float:
    """Return the value between `low` and `high`."""
    start, end = _float(low), _float(high)
    width = end - start
    if math.isinf(width):
        return start * (1 - quantile) + end * quantile
    return min(max(start + quantile * width, start), end)


def log_uniform(quantile: float, low: Number, high: Number) -> float:
    """Return e to a power between `low` and `high`."""
    return _exp(uniform(quantile, low, high))


def inverse_log_uniform(quantile: float, low: Number, high: Number) -> float:
    """Return one over e to a power between `low` and `high`, still rising with the quantile."""
    return _exp(-uniform(1 - quantile, low, high))


def log_uniform_between(quantile: float, low: Number, high: Number) -> float:
    """Return the value between `low` and `high`, both above zero, evenly spread in its log."""
    value = _exp(uniform(quantile, math.log(low), math.log(high)))
    return min(max(value, _float(low)), _float(high))


def normal(quantile: float, mu: Number, sigma: Number) -> float:
    """Return the value of a normal distribution; a `sigma` of 0 always gives `mu`."""
    return _finite(_float(mu) + _float(sigma) * _STANDARD_NORMAL.inv_cdf(quantile))


def log_normal(quantile: float, mu: Number, sigma: Number) -> float:
    """Return e to a normally distributed power."""
    return _exp(normal(quantile, mu, sigma))


def beta(quantile: float, a: Number, b: Number) -> float:
    """Return the value of a beta distribution; `a` or `b` of 0 leaves only an end of 0..1.

    Raises:
        MissingExtraError: scipy, which the extra `search` brings, is not installed.
    """
    if a == 0 or b == 0:
        share_of_one = 0.5 if a == b else float(b == 0)
        return float(quantile > 1 - share_of_one)
    try:
        from scipy.special import betaincinv
    except ImportError as error:
        raise MissingExtraError("the beta distribution", "search") from error
    return float(betaincinv(_float(a), _float(b), quantile))


def rounded(value: float, q: Number) -> Number:
    """Return `value` as a whole multiple of `q`: half to even, an int for an int `q`.

    The result may lie outside the bounds that `value` was drawn from.
    """
    steps = value / _float(q)
    if math.isinf(steps):
        return value  # so fine a step changes nothing
    multiple = round(steps) * q
    return multiple if isinstance(multiple, int) else _finite(multiple)


def _exp(power: float) -> float:
    try:
        return math.exp(power)
    except OverflowError:
        return _LARGEST


def _float(value: Number) -> float:
    try:
        return float(value)
    except OverflowError:
        return _LARGEST if value > 0 else -_LARGEST


def _finite(value: float) -> float:
    return min(max(value, -_LARGEST), _LARGEST)
