import sqlite3
from pathlib import Path

import pytest

from sweeper.domain.phase import Phase
from sweeper.local.filters import Query
from sweeper.local.keeping import open_keeper
from sweeper.local.pods import Pod, Process
from sweeper.local.running import inline
from sweeper.local.trainings import LocalTraining, PlaneEvent
from tests.local.builders import NOW

OLDEST = """
    CREATE TABLE events (
        number INTEGER NOT NULL, workload_id VARCHAR NOT NULL, at BIGINT NOT NULL,
        reason VARCHAR NOT NULL, message VARCHAR NOT NULL, is_warning INTEGER NOT NULL,
        PRIMARY KEY (number)
    );
    CREATE INDEX ix_events_workload_id ON events (workload_id);
    CREATE TABLE trainings (
        number INTEGER NOT NULL, workload_id VARCHAR NOT NULL, name VARCHAR NOT NULL,
        requested_name VARCHAR NOT NULL, project_id VARCHAR NOT NULL, cluster_id VARCHAR NOT NULL,
        created_by VARCHAR NOT NULL, created_at BIGINT NOT NULL, phase VARCHAR NOT NULL,
        desired_phase VARCHAR NOT NULL, phase_updated_at BIGINT NOT NULL,
        phase_message VARCHAR NOT NULL, phase_reason VARCHAR NOT NULL, process VARCHAR NOT NULL,
        starts INTEGER NOT NULL, devices VARCHAR NOT NULL, failures INTEGER NOT NULL,
        not_before BIGINT, completed_at BIGINT, delete_at BIGINT, deleted_at BIGINT,
        spec_text VARCHAR, PRIMARY KEY (number), UNIQUE (workload_id)
    );
    CREATE INDEX by_age ON trainings (created_at, number) WHERE deleted_at IS NULL;
    CREATE INDEX by_phase ON trainings (phase, created_at) WHERE deleted_at IS NULL;
    CREATE INDEX gone_by_age ON trainings (deleted_at) WHERE deleted_at IS NOT NULL;
    CREATE INDEX gone_by_name ON trainings (name) WHERE deleted_at IS NOT NULL;
    CREATE UNIQUE INDEX name_taken ON trainings (name, project_id) WHERE deleted_at IS NULL;
    CREATE INDEX to_delete ON trainings (delete_at)
    WHERE deleted_at IS NULL AND delete_at IS NOT NULL;
    PRAGMA user_version=1;
"""
AT = int(NOW.timestamp()) * 1_000_000


def oldest_state(path: Path) -> None:
    """Write the state of the first version: one training each that runs, waits and is done."""
    connection = sqlite3.connect(path)
    connection.executescript(OLDEST)
    for number, (phase, process, devices) in enumerate(
        [("Running", "running", "0 3"), ("Pending", "none", ""), ("Completed", "none", "")]
    ):
        values = (
            *(number, f"id-{number}", f"a{number}", f"a{number}", "1", "c", "me", AT),
            *(phase, "Running", AT, "", "", process, 2, devices, 1, None, None, None, None),
            '{"command": "true", "parallelism": 3}',
        )
        connection.execute(f"INSERT INTO trainings VALUES ({','.join('?' * 22)})", values)
    connection.execute("INSERT INTO events VALUES (1, 'id-0', ?, 'Started', 'hello', 0)", (AT,))
    connection.commit()
    connection.close()


async def test_the_state_of_the_first_version_goes_on(tmp_path: Path) -> None:
    oldest_state(tmp_path / "trainings.db")

    async with open_keeper(tmp_path / "trainings.db", inline, {}) as keeper:
        running, waiting = await keeper.live()
        events = await keeper.events("id-0", Query(limit=10))

    pod = Pod(start=2, process=Process.RUNNING, devices=(0, 3))
    assert (running.phase, running.pods, running.key) == (Phase.RUNNING, (pod,), "id-0-2")
    assert (running.need.pods, running.failures) == (1, 1)
    assert (waiting.phase, waiting.pods, waiting.need.pods) == (Phase.PENDING, (), 3)
    expected = PlaneEvent(workload_id="id-0", at=NOW, reason="Started", message="hello")
    assert events == [(1, expected)]


async def test_an_upgraded_state_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    oldest_state(tmp_path / "old.db")

    for name in ("old.db", "new.db", "old.db"):
        async with open_keeper(tmp_path / name, inline, {}):
            pass

    assert shape(tmp_path / "old.db") == shape(tmp_path / "new.db")


@pytest.mark.parametrize("number", range(3))
async def test_what_had_succeeded_is_counted(tmp_path: Path, number: int) -> None:
    oldest_state(tmp_path / "trainings.db")

    async with open_keeper(tmp_path / "trainings.db", inline, {}) as keeper:
        found: LocalTraining | None = await keeper.find(f"id-{number}")

    assert found is not None
    assert found.succeeded == (found.phase is Phase.COMPLETED)


def shape(path: Path) -> object:
    """Return columns and indexes of a state file, whatever the text that made them."""
    connection = sqlite3.connect(path)
    tables = {
        name: sorted(connection.execute(f"PRAGMA table_info({name})"), key=lambda one: one[1])
        for name in ("trainings", "events")
    }
    columns = {
        name: [(one[1], one[2], one[3], one[5]) for one in found] for name, found in tables.items()
    }
    indexes = connection.execute("SELECT name FROM sqlite_master WHERE type='index'").fetchall()
    version = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return columns, sorted(indexes), version
