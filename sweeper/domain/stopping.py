"""Early stopping: at which iterations trials are compared."""

import math

_MOST = 100


def bands(
    *,
    eta: float = 3,
    min_iter: int | None = None,
    max_iter: int | None = None,
    s: int | None = None,
) -> tuple[int, ...]:
    """Return the iterations at which W&B's hyperband compares trials, ascending.

    With `max_iter` that is divided by `eta` up to `s` times, and is no band itself; otherwise
    `min_iter` is multiplied by `eta` again and again, a hundred bands in all, fewer where floats
    end. Duplicates are kept. Empty when `max_iter` is below `eta`.
    """
    if max_iter is not None:
        return _downwards(max_iter, eta, s or 0)
    return _upwards(min_iter or 1, eta)


def _downwards(start: int, eta: float, steps: int) -> tuple[int, ...]:
    found: list[int] = []
    band: float = start
    for _ in range(steps):
        band /= eta
        if band < 1:
            break
        found.append(int(band))
    return tuple(sorted(found))


def _upwards(start: int, eta: float) -> tuple[int, ...]:
    found: list[int] = []
    band: float = start
    for _ in range(_MOST):
        if band > 1e300 or not math.isfinite(band):
            break
        found.append(int(band))
        band *= eta
    return tuple(found)
