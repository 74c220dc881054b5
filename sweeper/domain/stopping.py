"""Early stopping: at which iterations trials are compared."""


def bands(
    *,
    eta: float = 3,
    min_iter: int | None = None,
    max_iter: int | None = None,
    s: int | None = None,
) -> tuple[int, ...]:
    """Return the iterations at which W&B's hyperband compares trials, ascending.

    With `max_iter` it is divided by `eta` up to `s` times, and is no band itself; otherwise
    `min_iter` is multiplied by `eta` again and again, a hundred bands in all. Duplicates are kept.
    """
    raise NotImplementedError
