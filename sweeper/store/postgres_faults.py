"""Turn every way in which a PostgreSQL server can fail into a `StoreError` that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from sweeper.errors import StoreAwayError, StoreError, SweeperError

_PASSING = ("08", "40", "53", "55P03", "57", "58", "25P03")
"""SQLSTATEs, by their beginning, of what ends by itself: connections, deadlocks, resources, locks,
an administrator at work, a failing disk, a session that was ended for being idle."""


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Raise a `StoreError` about the store at `place` for whatever goes wrong inside.

    Raises:
        StoreAwayError: the server cannot be reached, or not for now.
        StoreError: anything else; what sweeper raised on purpose stays as it is.
    """
    try:
        yield
    except DBAPIError as error:
        raise _described(place, error) from error
    except StatementError as error:
        if isinstance(error.orig, StoreError):
            raise error.orig from error
        raise StoreError(f"the store {place} cannot be used ({error.orig or error})") from error
    except SQLAlchemyError as error:
        raise StoreError(f"the store {place} cannot be used ({error})") from error
    except (ValueError, LookupError, ArithmeticError) as error:
        raise StoreError(
            f"the store {place} holds or was given a value that it cannot hold ({error})"
        ) from error


def _described(place: str, error: DBAPIError) -> StoreError:
    if isinstance(error.orig, SweeperError):
        return error.orig if isinstance(error.orig, StoreError) else StoreError(str(error.orig))
    state = getattr(error.orig, "sqlstate", None)
    # Without a state the server said nothing: it was not reached, or it went away.
    is_passing = state is None and type(error.orig).__name__ == "OperationalError"
    if is_passing or error.connection_invalidated or (state or "").startswith(_PASSING):
        return StoreAwayError(f"the store {place} cannot be reached for now ({error.orig})")
    return StoreError(f"the store {place} cannot be used ({error.orig})")
