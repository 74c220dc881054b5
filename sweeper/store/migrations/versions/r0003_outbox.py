"""The outbox: notices that are to be sent, and what became of them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "notices",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("sweep_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("settled_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("number", name="pk_notices"),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweeps.id"], name="fk_notices_sweeps"),
    )
    op.create_index(
        "notices_open",
        "notices",
        ["sweep_id", "settled_at", "due_at", "number"],
        sqlite_where=sa.text("settled_at IS NULL"),
    )
