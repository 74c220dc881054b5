from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias

import pytest

from sweeper.ports import Store
from sweeper.store.memory import MemoryStore
from sweeper.store.postgres import PostgresStore
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.store.builders import a_sweep
from tests.support.postgres import Server, a_server

Opening: TypeAlias = Callable[[], AbstractAsyncContextManager[Store]]


def _memory(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    kept = MemoryStore()
    return lambda: kept


def _sqlite_inline(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    return lambda: SqlStore(tmp_path / "store.db", run=inline)


def _sqlite_thread(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    return lambda: SqlStore(tmp_path / "store.db")


def _postgres(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    server: Server = request.getfixturevalue("server")
    return lambda: PostgresStore(server.url, str(tmp_path))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server for all tests; each store has a schema of its own there."""
    with a_server() as server:
        yield server


@pytest.fixture(
    params=[
        pytest.param(_memory, id="memory"),
        pytest.param(_sqlite_inline, id="sqlite inline"),
        pytest.param(_sqlite_thread, id="sqlite thread"),
        pytest.param(_postgres, id="postgres", marks=pytest.mark.postgres),
    ]
)
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    """Opens the same store at every call, as one process after the other would."""
    made: Opening = request.param(request, tmp_path)
    return made


@pytest.fixture
async def store_without_sweep(opening: Opening) -> AsyncIterator[Store]:
    """A store of every kind in turn, open and new."""
    async with opening() as store:
        yield store


@pytest.fixture
async def store(opening: Opening) -> AsyncIterator[Store]:
    """A store of every kind in turn, open, with a sweep whose `loss` is to be small."""
    async with opening() as store:
        await store.save_sweep(a_sweep())
        yield store
