"""Column types that give back exactly what was put in."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from sqlalchemy import BigInteger, Dialect, Enum, Integer, Text
from sqlalchemy.types import TypeDecorator

from sweeper.domain.values import JsonValue
from sweeper.errors import StoreError
from sweeper.store.texts import from_json, legible, to_json, with_nul, without_nul

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

WORD_LENGTH = 20
"""Room for the longest member of any enumeration that is kept."""

RowNumber = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database gives to each row; SQLite numbers only columns of type INTEGER."""


class Instant(TypeDecorator[datetime]):
    """An aware time, as whole microseconds since 1970 in UTC: exact, sortable, 8 bytes."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return the microseconds, rejecting a time without a zone."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise StoreError(f"a time without a zone cannot be kept: {value.isoformat()}")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC."""
        del dialect
        return None if value is None else _EPOCH + value * _MICROSECOND


class Exact(TypeDecorator[Fraction]):
    """A fraction as text, `3/4`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Fraction | None, dialect: Dialect) -> str | None:
        """Return the text."""
        del dialect
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Fraction | None:
        """Return the fraction."""
        del dialect
        return None if value is None else Fraction(value)


class Wide(TypeDecorator[int]):
    """An integer of any size, as hexadecimal text: grids and seeds need not fit into 64 bits."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        """Return the text."""
        del dialect
        return None if value is None else hex(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:
        """Return the integer."""
        del dialect
        return None if value is None else int(value, 16)


class Json(TypeDecorator[JsonValue]):
    """A JSON value as text, the order of keys kept, frozen when read."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: JsonValue, dialect: Dialect) -> str:
        """Return the text."""
        del dialect
        return to_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> JsonValue:
        """Return the value."""
        del dialect
        return None if value is None else from_json(value)


class Words(TypeDecorator[str]):
    """Any text, made legible; what PostgreSQL cannot hold, the character NUL, is spelled out."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text as it can be encoded."""
        if value is None:
            return None
        return without_nul(legible(value)) if dialect.name == "postgresql" else legible(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text as it was given."""
        return with_nul(value) if value and dialect.name == "postgresql" else value


def word(kind: type[StrEnum]) -> Enum:
    """Return the column type for one member of `kind`, kept as its value."""
    return Enum(
        kind,
        native_enum=False,
        length=WORD_LENGTH,
        values_callable=lambda members: [member.value for member in members],
    )
