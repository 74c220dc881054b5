"""Which class of failures a wish to retry is about."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; wishes so far are about every class."""
    # Made anew, so that the table is to the letter what a new store has.
    with op.batch_alter_table("wishes", recreate="always") as batch:
        batch.add_column(sa.Column("failure", sa.String(20)))
