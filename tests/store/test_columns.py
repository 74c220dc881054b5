from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeDecorator

from sweeper.domain.phase import Phase
from sweeper.domain.record import EventKind, SweepState, WishKind
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import FailureClass, TrialState
from sweeper.errors import StoreError
from sweeper.store.columns import WORD_LENGTH, Exact, Instant, Json, Wide, Words

_DIALECT = sqlite.dialect()


def _through(column: TypeDecorator[Any], value: Any) -> Any:
    """Return what comes back of a value that was put in."""
    put, get = column.bind_processor(_DIALECT), column.result_processor(_DIALECT, None)
    kept = put(value) if put else value
    return get(kept) if get else kept


_ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-11)), timezone(timedelta(hours=5.5))])


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=_ZONES))  # noqa: DTZ001
def test_a_time_comes_back_to_the_microsecond_in_utc(moment: datetime) -> None:
    found = _through(Instant(), moment)

    assert found == moment
    assert found.utcoffset() == timedelta(0)


@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=2, max_size=2))
def test_times_are_ordered_as_they_are_kept(moments: list[datetime]) -> None:
    kept = [Instant().process_bind_param(moment, _DIALECT) for moment in sorted(moments)]

    assert kept[0] is not None
    assert kept[1] is not None
    assert kept[0] <= kept[1]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(StoreError, match="without a zone"):
        Instant().process_bind_param(datetime(2026, 3, 1), _DIALECT)  # noqa: DTZ001


@given(st.fractions())
def test_a_fraction_comes_back_exact(fraction: Fraction) -> None:
    assert _through(Exact(), fraction) == fraction


@given(st.integers())
def test_an_integer_comes_back_whatever_its_size(number: int) -> None:
    assert _through(Wide(), number) == number


def test_an_integer_may_be_wider_than_python_writes_out() -> None:
    assert _through(Wide(), 10**5000) == 10**5000


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_comes_back_as_it_was(text: str) -> None:
    assert _through(Words(), text) == text


def test_json_comes_back_frozen() -> None:
    assert _through(Json(), {"a": [1, {"b": None}]}) == {"a": (1, {"b": None})}


@pytest.mark.parametrize("column", [Instant, Exact, Wide, Words])
def test_none_stays_none(column: Callable[[], TypeDecorator[Any]]) -> None:
    assert _through(column(), None) is None


@pytest.mark.parametrize(
    "kind", [Phase, EventKind, SweepState, WishKind, Goal, FailureClass, TrialState]
)
def test_every_word_fits_its_column(kind: type[StrEnum]) -> None:
    assert max(len(member.value) for member in kind) <= WORD_LENGTH
