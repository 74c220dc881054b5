"""State files of earlier versions, brought to the tables of this one with all that is in them.

Each step is kept as it was written, in SQL alone: it must not follow the tables as they change.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import Connection

_INDEXES = ("name_taken", "by_age", "by_phase", "to_delete", "gone_by_name", "gone_by_age")

_PODS_FOR_ONE_PROCESS = (
    *(f"DROP INDEX {name}" for name in _INDEXES),
    "ALTER TABLE trainings RENAME TO trainings_1",
    """
    CREATE TABLE trainings (
        number INTEGER NOT NULL PRIMARY KEY, workload_id VARCHAR NOT NULL UNIQUE,
        name VARCHAR NOT NULL, requested_name VARCHAR NOT NULL, project_id VARCHAR NOT NULL,
        cluster_id VARCHAR NOT NULL, created_by VARCHAR NOT NULL, created_at BIGINT NOT NULL,
        phase VARCHAR NOT NULL, desired_phase VARCHAR NOT NULL, phase_updated_at BIGINT NOT NULL,
        phase_message VARCHAR NOT NULL, phase_reason VARCHAR NOT NULL, starts INTEGER NOT NULL,
        pods VARCHAR NOT NULL, node_pool VARCHAR NOT NULL, failures INTEGER NOT NULL,
        succeeded INTEGER NOT NULL, is_failing INTEGER NOT NULL, not_before BIGINT,
        completed_at BIGINT, delete_at BIGINT, deleted_at BIGINT, spec_text VARCHAR
    )
    """,
    """
    INSERT INTO trainings SELECT
        number, workload_id, name, requested_name, project_id, cluster_id, created_by, created_at,
        phase, desired_phase, phase_updated_at, phase_message, phase_reason, starts,
        CASE process WHEN 'none' THEN '[]' ELSE '[[0,' || starts || ',"' || process || '",['
            || replace(devices, ' ', ',') || '],"",true,null]]' END,
        '', failures, phase = 'Completed', 0, not_before,
        completed_at, delete_at, deleted_at, spec_text
    FROM trainings_1
    """,
    "DROP TABLE trainings_1",
    "ALTER TABLE events ADD COLUMN phase VARCHAR",
    "CREATE UNIQUE INDEX name_taken ON trainings (name, project_id) WHERE deleted_at IS NULL",
    "CREATE INDEX by_age ON trainings (created_at, number) WHERE deleted_at IS NULL",
    "CREATE INDEX by_phase ON trainings (phase, created_at) WHERE deleted_at IS NULL",
    """
    CREATE INDEX to_delete ON trainings (delete_at)
    WHERE deleted_at IS NULL AND delete_at IS NOT NULL
    """,
    "CREATE INDEX gone_by_name ON trainings (name) WHERE deleted_at IS NOT NULL",
    "CREATE INDEX gone_by_age ON trainings (deleted_at) WHERE deleted_at IS NOT NULL",
)

UPGRADES: Mapping[int, Sequence[str]] = MappingProxyType({1: _PODS_FOR_ONE_PROCESS})
"""What leads from the tables of each earlier version to those of the next one."""


def upgrade(connection: Connection, version: int) -> None:
    """Bring the tables of an earlier version to this one; of version 0 there are none."""
    for step in sorted(UPGRADES):
        for statement in UPGRADES[step] if step >= version > 0 else ():
            connection.exec_driver_sql(statement)
