"""Whom a notice is for, and what of a sweep people were told already."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns; notices so far are for nobody, for nothing sent them."""
    # Made anew, so that the tables are to the letter what a new store has.
    with op.batch_alter_table("sweeps", recreate="always") as batch:
        batch.add_column(sa.Column("blocked", sa.Text()))
        batch.add_column(sa.Column("late_at", sa.BigInteger()))
        batch.add_column(sa.Column("summary_at", sa.BigInteger()))
    op.add_column("notices", sa.Column("receiver", sa.Text(), server_default=""))
    with op.batch_alter_table("notices", recreate="always") as batch:
        batch.alter_column("receiver", nullable=False, server_default=None)
