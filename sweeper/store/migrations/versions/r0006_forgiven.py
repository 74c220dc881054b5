"""How many failed trials a person forgave by reopening the sweep."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; nothing was forgiven so far."""
    with op.batch_alter_table("sweeps", recreate="always") as batch:
        batch.add_column(sa.Column("forgiven", sa.Integer(), server_default="0"))
    with op.batch_alter_table("sweeps", recreate="always") as batch:
        batch.alter_column("forgiven", nullable=False, server_default=None)
