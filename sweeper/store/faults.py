"""Turn every way in which a database can fail into a `StoreError` that says what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError, StatementError

from sweeper.errors import StoreError, StoreLockedError, SweeperError

_PRIMARY = 0xFF
"""SQLite's extended result codes keep the primary code in their low byte."""

_DAMAGED = "is damaged: put back a copy of it, or make it again with `sweeper rebuild FILE`"

_REMEDIES = {
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full; free some space, then start again",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk fails, is full or was taken away",
    sqlite3.SQLITE_READONLY: "is read-only: give this user the right to write the file and folder",
    sqlite3.SQLITE_PERM: "may not be opened by this user: check the rights of file and folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check the rights of the file and of its folder",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_TOOBIG: "cannot hold a value of that size",
}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise a `StoreError` about the store at `path` for whatever goes wrong inside.

    Raises:
        StoreLockedError: another process holds the store.
        StoreError: anything else; what sweeper raised on purpose stays as it is.
    """
    try:
        yield
    except StatementError as error:
        raise _described(path, error.orig or error) from error
    except (sqlite3.Error, SQLAlchemyError, OSError) as error:
        raise _described(path, error) from error
    except (ValueError, LookupError, ArithmeticError) as error:
        # A byte that turned over within a cell passes SQLite's own check, and a number past 64
        # bits is refused by its Python module with no error class of its own.
        raise StoreError(
            f"the store {path} holds or was given a value that it cannot hold ({error})"
        ) from error


def damaged(path: Path, detail: str) -> StoreError:
    """Return the error for a file whose content is not what was written."""
    return StoreError(f"the store {path} {_DAMAGED} ({detail})")


def _described(path: Path, error: BaseException) -> StoreError:
    if isinstance(error, SweeperError):
        return error if isinstance(error, StoreError) else StoreError(str(error))
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreLockedError(f"the store {path} is held by another process")
    remedy = _REMEDIES.get(code, "cannot be used")
    return StoreError(f"the store {path} {remedy} ({error})")
