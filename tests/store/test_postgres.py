import re
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, StatementError

from sweeper.errors import MissingExtraError, StoreAwayError, StoreError
from sweeper.store.postgres import PostgresStore, schema_of
from sweeper.store.postgres_faults import translated


class OperationalError(Exception):
    """What a driver raises; its name is all that is known where the server said nothing."""

    def __init__(self, message: str, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class DataError(OperationalError):
    pass


def raised(error: Exception) -> StoreError:
    """Return what becomes of an error of the database."""
    with pytest.raises(StoreError) as caught, translated("the place"):
        raise error
    return caught.value


def of_driver(error: Exception, *, is_disconnect: bool = False) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, error, connection_invalidated=is_disconnect)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OperationalError("connection refused"), id="not reached"),
        pytest.param(OperationalError("bye", "57P01"), id="session ended"),
        pytest.param(OperationalError("starting up", "57P03"), id="starting up"),
        pytest.param(OperationalError("full", "53100"), id="disk full"),
        pytest.param(OperationalError("too many", "53300"), id="too many sessions"),
        pytest.param(OperationalError("lock", "55P03"), id="lock not had in time"),
        pytest.param(OperationalError("too slow", "57014"), id="statement took too long"),
        pytest.param(OperationalError("idle", "25P03"), id="ended for being idle"),
        pytest.param(OperationalError("lost", "08006"), id="connection lost"),
    ],
)
def test_what_ends_by_itself_is_waited_for(error: Exception) -> None:
    assert type(raised(of_driver(error))) is StoreAwayError


def test_a_connection_that_was_lost_is_made_anew() -> None:
    assert type(raised(of_driver(DataError("?", "22003"), is_disconnect=True))) is StoreAwayError


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(of_driver(DataError("out of range", "22003")), id="value"),
        pytest.param(of_driver(OperationalError("no such role", "28000")), id="role"),
        pytest.param(of_driver(OperationalError("permission denied", "42501")), id="permission"),
        pytest.param(of_driver(DataError("odd")), id="without a state"),
        pytest.param(StatementError("bind", "SELECT", {}, ValueError("odd")), id="statement"),
        pytest.param(ValueError("odd"), id="a value read"),
    ],
)
def test_what_does_not_end_by_itself_ends_the_daemon(error: Exception) -> None:
    found = raised(error)

    assert type(found) is StoreError
    assert "the place" in str(found)


def test_what_sweeper_raised_itself_stays_as_it_is() -> None:
    ours = StoreError("a time without a zone")

    assert raised(StatementError("bind", "INSERT", {}, ours)) is ours


@given(st.text(min_size=1), st.text(min_size=1))
def test_every_sweep_has_a_schema_of_its_own_with_a_name_that_needs_no_quotes(
    one: str, other: str
) -> None:
    assert re.fullmatch(r"sweeper_[a-z0-9_]*", schema_of(one))
    assert len(schema_of(one)) < 64
    assert (schema_of(one) == schema_of(other)) == (one == other)


def test_a_driver_that_is_missing_is_named_with_the_command_that_brings_it() -> None:
    assert find_spec("psycopg") is None, "this test is for an environment without the extra"

    with pytest.raises(MissingExtraError, match=r"pip install 'sweeper\[postgres\]'"):
        PostgresStore(make_url("postgresql:///sweeps"), "demo")
