import errno
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import ArgumentError, OperationalError, StatementError

from sweeper.errors import (
    InvalidTransitionError,
    LimitExceededError,
    StoreError,
    StoreLockedError,
)
from sweeper.store.faults import translated

_PATH = Path("store.db")


def _sqlite(code: int, message: str = "as SQLite says") -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param(
            sqlite3.SQLITE_FULL, "cannot grow: the disk is full; free some space", id="full"
        ),
        pytest.param(
            sqlite3.SQLITE_IOERR_WRITE, "cannot be read or written: the disk fails", id="write"
        ),
        pytest.param(
            sqlite3.SQLITE_IOERR_FSYNC, "cannot be read or written: the disk fails", id="fsync"
        ),
        pytest.param(sqlite3.SQLITE_READONLY_DBMOVED, "is read-only", id="moved"),
        pytest.param(sqlite3.SQLITE_CANTOPEN, "cannot be opened: check the rights", id="rights"),
        pytest.param(sqlite3.SQLITE_PERM, "may not be opened by this user", id="permission"),
        pytest.param(sqlite3.SQLITE_CORRUPT_INDEX, "is damaged: put back a copy", id="index"),
        pytest.param(sqlite3.SQLITE_NOTADB, "is damaged: put back a copy", id="not a database"),
        pytest.param(sqlite3.SQLITE_TOOBIG, "cannot hold a value of that size", id="too big"),
        pytest.param(sqlite3.SQLITE_MISUSE, "cannot be used", id="anything else"),
    ],
)
@pytest.mark.parametrize("is_wrapped", [False, True], ids=["bare", "wrapped"])
def test_each_way_to_fail_has_its_own_words(code: int, message: str, is_wrapped: bool) -> None:
    error: Exception = _sqlite(code)
    if is_wrapped:
        error = OperationalError("SELECT 1", None, error)

    with (
        pytest.raises(StoreError, match=rf"store\.db {message}.*\(as SQLite says\)$"),
        translated(_PATH),
    ):
        raise error


@pytest.mark.parametrize("code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY])
def test_a_lock_has_an_error_of_its_own(code: int) -> None:
    with pytest.raises(StoreLockedError, match="held by another process"), translated(_PATH):
        raise _sqlite(code)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(sqlite3.OperationalError("without a code"), id="sqlite"),
        pytest.param(ArgumentError("ours"), id="sqlalchemy"),
        pytest.param(OSError(errno.ENOSPC, "No space left"), id="system"),
        pytest.param(OverflowError("int too large"), id="overflow"),
        pytest.param(ValueError("bad JSON"), id="value"),
        pytest.param(LookupError("unknown word"), id="word"),
        pytest.param(ZeroDivisionError("1/0"), id="fraction"),
    ],
)
def test_no_other_error_leaves_a_store(error: Exception) -> None:
    with pytest.raises(StoreError, match=r"store\.db"), translated(_PATH):
        raise error


def test_what_sweeper_raised_on_purpose_stays_as_it_is() -> None:
    given = LimitExceededError("too many")

    with pytest.raises(LimitExceededError) as caught, translated(_PATH):
        raise given

    assert caught.value is given


@pytest.mark.parametrize(
    "error", [StoreError("as it was"), InvalidTransitionError("as it was")], ids=["store", "other"]
)
def test_what_a_column_refused_is_unwrapped(error: Exception) -> None:
    with pytest.raises(StoreError, match=r"^as it was$"), translated(_PATH):
        raise StatementError("(wrapped)", "INSERT", None, error)
