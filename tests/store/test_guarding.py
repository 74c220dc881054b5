from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.record import SlotGuard
from sweeper.errors import LimitExceededError
from sweeper.store.guarding import Slot, check_limits

_SLOTS = st.lists(
    st.builds(Slot, gpus=st.fractions(0, 2, max_denominator=10), is_at_work=st.booleans()),
    max_size=6,
)


@given(slots=_SLOTS, submissions=st.integers(0, 9))
def test_bounds_that_are_just_met_hold(slots: list[Slot], submissions: int) -> None:
    guard = SlotGuard(
        active=len(slots),
        pending=sum(not slot.is_at_work for slot in slots),
        gpus=sum((slot.gpus for slot in slots), Fraction(0)),
        submissions=submissions,
    )

    check_limits(guard, slots, submissions)


def test_a_bound_that_is_not_set_never_fails() -> None:
    slots = [Slot(gpus=Fraction(99), is_at_work=False)] * 5

    check_limits(SlotGuard(active=5), slots, 10**6)


def test_thirds_of_a_gpu_add_up_exactly() -> None:
    slots = [Slot(gpus=Fraction(1, 3), is_at_work=True)] * 3

    check_limits(SlotGuard(active=3, gpus=Fraction(1)), slots, 0)


def test_every_bound_that_fails_is_named_with_its_figures() -> None:
    slots = [Slot(gpus=Fraction(3, 2), is_at_work=False)] * 2
    guard = SlotGuard(active=1, pending=0, gpus=Fraction(5, 2), submissions=3)

    with pytest.raises(LimitExceededError) as caught:
        check_limits(guard, slots, 4)

    assert str(caught.value) == (
        "nothing was written: there would be 2 active trainings, above the limit of 1, and "
        "2 pending trainings, above the limit of 0, and 3 GPUs, above the limit of 5/2, and "
        "4 submissions of late, above the limit of 3"
    )
