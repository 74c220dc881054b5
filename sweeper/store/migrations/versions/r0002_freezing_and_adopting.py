"""Room for frozen sweeps, trainings lost from both listings, and wishes to adopt one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; every one may be empty, as it is in all rows so far."""
    _add(
        "sweeps",
        sa.Column("first_running_at", sa.BigInteger()),
        sa.Column("frozen", sa.Text()),
        sa.Column("thawed_at", sa.BigInteger()),
    )
    _add("submissions", sa.Column("lost_since", sa.BigInteger()))
    _add("wishes", sa.Column("workload_id", sa.Text()))


def _add(table: str, *columns: sa.Column[object]) -> None:
    # Made anew, so that the table is to the letter what a new store has.
    with op.batch_alter_table(table, recreate="always") as batch:
        for column in columns:
            batch.add_column(column)
