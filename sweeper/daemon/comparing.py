"""Ask the store how trials compare, where a sweep stops poor ones early."""

from functools import partial

from sweeper.domain.record import Comparison
from sweeper.domain.stopping import last_place
from sweeper.domain.sweep import SweepSpec
from sweeper.ports import Store


async def compare(store: Store, spec: SweepSpec) -> Comparison:
    """Return what early stopping decides by; nothing, and no question, where there is none."""
    early = spec.early_terminate
    if early is None or spec.objective is None:
        return Comparison()
    return await store.comparison(partial(last_place, early), early.bracket)
