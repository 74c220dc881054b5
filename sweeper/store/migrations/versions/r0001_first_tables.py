"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
    _sweeps()
    _trials()
    _submissions()
    _tallies()
    _events()
    _reports()
    _objectives()
    _wishes()


def _sweeps() -> None:
    op.create_table(
        "sweeps",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("planned", sa.Text()),
        sa.Column("directory", sa.Text(), nullable=False),
        sa.Column("control_plane", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("objective", sa.Text()),
        sa.Column("goal", sa.String(20)),
        sa.Column("project_id", sa.Text()),
        sa.Column("cluster_id", sa.Text()),
        sa.Column("report_port", sa.Integer()),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("stop_reason", sa.Text(), nullable=False),
        sa.Column("rejection", sa.Text(), nullable=False),
        sa.Column("rejections", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sweeps"),
    )


def _trials() -> None:
    op.create_table(
        "trials",
        sa.Column("sweep_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("state_since", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("retries", sa.Text(), nullable=False),
        sa.Column("retry_at", sa.BigInteger()),
        sa.Column("failure", sa.String(20)),
        sa.Column("cancel_asked_at", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweeps.id"], name="fk_trials_sweeps"),
        sa.PrimaryKeyConstraint("sweep_id", "number", name="pk_trials"),
    )
    op.create_index("trials_by_state", "trials", ["sweep_id", "state", "number"])
    op.create_index(
        "trials_live",
        "trials",
        ["sweep_id", "is_live", "number"],
        sqlite_where=sa.text("is_live IS 1"),
    )


def _submissions() -> None:
    op.create_table(
        "submissions",
        sa.Column("sweep_id", sa.Text(), nullable=False),
        sa.Column("trial", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("workload_name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("intent_at", sa.BigInteger(), nullable=False),
        sa.Column("gpus", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("looked_up_at", sa.BigInteger()),
        sa.Column("next_call_at", sa.BigInteger()),
        sa.Column("workload_id", sa.Text()),
        sa.Column("created_at", sa.BigInteger()),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("phase_since", sa.BigInteger()),
        sa.Column("seen_at", sa.BigInteger()),
        sa.Column("running_since", sa.BigInteger()),
        sa.Column("first_running_at", sa.BigInteger()),
        sa.Column("running_seconds", sa.Float(), nullable=False),
        sa.Column("preemptions", sa.Integer(), nullable=False),
        sa.Column("resumes", sa.Integer(), nullable=False),
        sa.Column("quick_stops", sa.Integer(), nullable=False),
        sa.Column("calls_failed", sa.Integer(), nullable=False),
        sa.Column("resume_sent_at", sa.BigInteger()),
        sa.Column("suspend_sent_at", sa.BigInteger()),
        sa.Column("delete_sent_at", sa.BigInteger()),
        sa.Column("missing_since", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("exit_code", sa.BigInteger()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sweep_id", "trial"],
            ["trials.sweep_id", "trials.number"],
            name="fk_submissions_trials",
        ),
        sa.PrimaryKeyConstraint("sweep_id", "trial", "attempt", name="pk_submissions"),
    )
    op.create_index("submissions_by_intent", "submissions", ["sweep_id", "intent_at"])
    op.create_index(
        "submissions_open",
        "submissions",
        ["sweep_id", "ended_at", "trial", "attempt"],
        sqlite_where=sa.text("ended_at IS NULL"),
    )


def _tallies() -> None:
    op.create_table(
        "tallies",
        sa.Column("sweep_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("trials", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweeps.id"], name="fk_tallies_sweeps"),
        sa.PrimaryKeyConstraint("sweep_id", "state", name="pk_tallies"),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("sweep_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("trial", sa.BigInteger()),
        sa.Column("attempt", sa.Integer()),
        sa.Column("workload_name", sa.Text()),
        sa.Column("workload_id", sa.Text()),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweeps.id"], name="fk_events_sweeps"),
        sa.PrimaryKeyConstraint("number", name="pk_events"),
    )
    op.create_index("events_of_sweep", "events", ["sweep_id", "number"])
    op.create_index("events_of_trial", "events", ["sweep_id", "trial", "number"])


def _reports() -> None:
    op.create_table(
        "reports",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("sweep_id", sa.Text(), nullable=False),
        sa.Column("trial", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("values", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["sweep_id", "trial"], ["trials.sweep_id", "trials.number"], name="fk_reports_trials"
        ),
        sa.PrimaryKeyConstraint("number", name="pk_reports"),
        sa.UniqueConstraint("sweep_id", "trial", "key", name="uq_reports"),
    )


def _objectives() -> None:
    op.create_table(
        "objectives",
        sa.Column("sweep_id", sa.Text(), nullable=False),
        sa.Column("trial", sa.BigInteger(), nullable=False),
        sa.Column("best", sa.Float(), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.Column("reports", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sweep_id", "trial"], ["trials.sweep_id", "trials.number"], name="fk_objectives_trials"
        ),
        sa.PrimaryKeyConstraint("sweep_id", "trial", name="pk_objectives"),
    )
    op.create_index("objectives_by_rank", "objectives", ["sweep_id", "rank", "trial"])


def _wishes() -> None:
    op.create_table(
        "wishes",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("sweep_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("trial", sa.BigInteger()),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweeps.id"], name="fk_wishes_sweeps"),
        sa.PrimaryKeyConstraint("number", name="pk_wishes"),
    )
    op.create_index(
        "wishes_open",
        "wishes",
        ["sweep_id", "is_settled", "number"],
        sqlite_where=sa.text("is_settled IS 0"),
    )
