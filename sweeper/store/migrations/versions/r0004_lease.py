"""Who may write: the lease with its epoch, which every event carries from now on."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table, and the column; events so far have no epoch."""
    op.create_table(
        "lease",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
    )
    # Made anew, so that the table is to the letter what a new store has.
    with op.batch_alter_table("events", recreate="always") as batch:
        batch.add_column(sa.Column("epoch", sa.BigInteger()))
