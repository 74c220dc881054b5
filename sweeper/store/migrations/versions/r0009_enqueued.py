"""Points that a person added to a sweep that had started."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns; nothing was enqueued so far."""
    with op.batch_alter_table("sweeps", recreate="always") as batch:
        batch.add_column(sa.Column("enqueued", sa.Text(), server_default="[]"))
    with op.batch_alter_table("sweeps", recreate="always") as batch:
        batch.alter_column("enqueued", nullable=False, server_default=None)
    with op.batch_alter_table("wishes", recreate="always") as batch:
        batch.add_column(sa.Column("params", sa.Text()))
