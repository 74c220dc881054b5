"""What trials reported at the rungs of early stopping, and what was decided for them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add columns and a table; a sweep that is under way compares its trials nowhere."""
    _add("sweeps", sa.Column("rungs", sa.Text(), server_default="[]"))
    _add(
        "trials",
        sa.Column("rung", sa.BigInteger(), server_default="0"),
        sa.Column("halt", sa.String(20)),
    )
    _add(
        "objectives",
        sa.Column("iterations", sa.BigInteger(), server_default="0"),
        sa.Column("furthest_step", sa.BigInteger()),
        sa.Column("best_at", sa.BigInteger(), server_default="0"),
        sa.Column("rung", sa.BigInteger(), server_default="0"),
        sa.Column("rung_value", sa.Float()),
    )
    op.execute(sa.text("UPDATE objectives SET iterations = reports, best_at = reports"))
    op.create_table(
        "rungs",
        sa.Column("sweep_id", sa.Text(), nullable=False),
        sa.Column("trial", sa.BigInteger(), nullable=False),
        sa.Column("rung", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("rank", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sweep_id", "trial"], ["trials.sweep_id", "trials.number"], name="fk_rungs_trials"
        ),
        sa.PrimaryKeyConstraint("sweep_id", "trial", "rung", name="pk_rungs"),
    )
    op.create_index("rungs_by_rank", "rungs", ["sweep_id", "rung", "rank", "trial", "value"])


def _add(table: str, *columns: sa.Column[Any]) -> None:
    """Add columns: those with a default always have a value, and from here on no default."""
    # Made anew, so that the tables are to the letter what a new store has.
    with op.batch_alter_table(table, recreate="always") as batch:
        for column in columns:
            batch.add_column(column)
    with op.batch_alter_table(table, recreate="always") as batch:
        for column in columns:
            if column.server_default is not None:
                batch.alter_column(column.name, nullable=False, server_default=None)
