"""Our migrations with one more at their end, as a later version would have it."""

import shutil
from pathlib import Path

import sweeper.store.migrations
from sweeper.store.schema import REVISION

NEXT = f"{int(REVISION) + 1:04}"
"""The revision that is added."""

_OURS = Path(sweeper.store.migrations.__file__).parent

_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    with op.batch_alter_table("trials") as batch:
        batch.add_column(sa.Column("colour", sa.Text(), nullable=False, server_default="red"))
        batch.alter_column("reason", new_column_name="why")
    {more}
"""


def copied_migrations(folder: Path) -> Path:
    """Copy our migrations into a folder whose name a parser could stumble over."""
    copy = folder / "100% of them"
    shutil.copytree(_OURS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def add_next(migrations: Path, more: str = "") -> None:
    """Add the migration to `NEXT`, which does `more` at its end."""
    file = migrations / "versions" / f"r{NEXT}_next.py"
    file.write_text(_MIGRATION.format(revision=NEXT, before=REVISION, more=more), encoding="utf-8")
