"""The tables. Whatever changes here needs a migration, and a test compares the two.

Each table of a sweep's data carries `sweep_id`, so that one database could hold many sweeps.
Columns are called like the fields of the domain that they keep, which `rows` relies on.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)

from sweeper.domain.outbox import NoticeKind
from sweeper.domain.phase import Phase
from sweeper.domain.record import EventKind, SweepState, WishKind
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import FailureClass, Halt, TrialState
from sweeper.store.columns import Exact, Instant, Json, RowNumber, Wide, Words, word

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("slug", Words, nullable=False),
    Column("definition", Json, nullable=False),
    Column("digest", Words, nullable=False),
    Column("method", Words, nullable=False),
    Column("seed", Wide, nullable=False),
    Column("planned", Wide),
    Column("directory", Words, nullable=False),
    Column("control_plane", Words, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("objective", Words),
    Column("goal", word(Goal)),
    Column("project_id", Words),
    Column("cluster_id", Words),
    Column("report_port", Integer),
    Column("state", word(SweepState), nullable=False),
    Column("stop_reason", Words, nullable=False),
    Column("rejection", Words, nullable=False),
    Column("rejections", Integer, nullable=False),
    Column("ended_at", Instant),
    Column("next_number", BigInteger, nullable=False),  # the first trial number without a row
    Column("first_running_at", Instant),
    Column("frozen", Words),
    Column("thawed_at", Instant),
    Column("blocked", Words),
    Column("late_at", Instant),
    Column("summary_at", Instant),
    Column("forgiven", Integer, nullable=False),
    Column("rungs", Json, nullable=False),
    Column("enqueued", Json, nullable=False),
)

trials = Table(
    "trials",
    metadata,
    Column("sweep_id", ForeignKey(sweeps.c.id), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("params", Json, nullable=False),
    Column("state", word(TrialState), nullable=False),
    Column("state_since", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("attempt", Integer, nullable=False),  # the newest submission's
    Column("reason", Words, nullable=False),
    Column("ended_at", Instant),
    Column("retries", Json, nullable=False),
    Column("retry_at", Instant),
    Column("failure", word(FailureClass)),
    Column("cancel_asked_at", Instant),
    Column("version", Integer, nullable=False),
    Column("is_live", Boolean, nullable=False),  # its state is not terminal
    Column("rung", BigInteger, nullable=False),
    Column("halt", word(Halt)),
    Index("trials_by_state", "sweep_id", "state", "number"),
)

# SQLite knows no statistics here, and takes an index for better when more of its columns are
# compared: so a partial index has the column of its condition, though it is the same in all rows.
Index(
    "trials_live",
    trials.c.sweep_id,
    trials.c.is_live,
    trials.c.number,
    sqlite_where=trials.c.is_live.is_(True),
    postgresql_where=trials.c.is_live.is_(True),
)

submissions = Table(
    "submissions",
    metadata,
    Column("sweep_id", Words, primary_key=True),
    Column("trial", BigInteger, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("workload_name", Words, nullable=False),
    Column("digest", Words, nullable=False),
    Column("intent_at", Instant, nullable=False),
    Column("gpus", Exact, nullable=False),
    Column("sent_at", Instant),
    Column("looked_up_at", Instant),
    Column("next_call_at", Instant),
    Column("workload_id", Words),
    Column("created_at", Instant),
    Column("phase", word(Phase), nullable=False),
    Column("phase_since", Instant),
    Column("seen_at", Instant),
    Column("running_since", Instant),
    Column("first_running_at", Instant),
    Column("running_seconds", Float, nullable=False),
    Column("preemptions", Integer, nullable=False),
    Column("resumes", Integer, nullable=False),
    Column("quick_stops", Integer, nullable=False),
    Column("calls_failed", Integer, nullable=False),
    Column("resume_sent_at", Instant),
    Column("suspend_sent_at", Instant),
    Column("delete_sent_at", Instant),
    Column("missing_since", Instant),
    Column("ended_at", Instant),
    Column("exit_code", BigInteger),
    Column("reason", Words, nullable=False),
    Column("lost_since", Instant),
    ForeignKeyConstraint(["sweep_id", "trial"], [trials.c.sweep_id, trials.c.number]),
    Index("submissions_by_intent", "sweep_id", "intent_at"),
)

Index(
    "submissions_open",
    submissions.c.sweep_id,
    submissions.c.ended_at,
    submissions.c.trial,
    submissions.c.attempt,
    sqlite_where=submissions.c.ended_at.is_(None),
    postgresql_where=submissions.c.ended_at.is_(None),
)

tallies = Table(
    "tallies",
    metadata,
    Column("sweep_id", ForeignKey(sweeps.c.id), primary_key=True),
    Column("state", word(TrialState), primary_key=True),
    Column("trials", BigInteger, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("sweep_id", ForeignKey(sweeps.c.id), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", word(EventKind), nullable=False),
    Column("outcome", Words, nullable=False),
    Column("trial", BigInteger),
    Column("attempt", Integer),
    Column("workload_name", Words),
    Column("workload_id", Words),
    Column("detail", Words, nullable=False),
    Column("epoch", BigInteger),
    Index("events_of_sweep", "sweep_id", "number"),
    Index("events_of_trial", "sweep_id", "trial", "number"),
)

reports = Table(
    "reports",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("sweep_id", Words, nullable=False),
    Column("trial", BigInteger, nullable=False),
    Column("key", Words, nullable=False),
    Column("at", Instant, nullable=False),
    Column("values", Json, nullable=False),
    Column("step", BigInteger),
    ForeignKeyConstraint(["sweep_id", "trial"], [trials.c.sweep_id, trials.c.number]),
    UniqueConstraint("sweep_id", "trial", "key"),
)

objectives = Table(
    "objectives",
    metadata,
    Column("sweep_id", Words, primary_key=True),
    Column("trial", BigInteger, primary_key=True),
    Column("best", Float, nullable=False),
    Column("last", Float, nullable=False),
    Column("reports", BigInteger, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("rank", Float, nullable=False),  # `best`, negated where more is better
    Column("iterations", BigInteger, nullable=False),
    Column("furthest_step", BigInteger),
    Column("best_at", BigInteger, nullable=False),
    Column("rung", BigInteger, nullable=False),
    Column("rung_value", Float),
    ForeignKeyConstraint(["sweep_id", "trial"], [trials.c.sweep_id, trials.c.number]),
    Index("objectives_by_rank", "sweep_id", "rank", "trial"),
)

rungs = Table(
    "rungs",  # what each trial reported at each rung that it got to
    metadata,
    Column("sweep_id", Words, primary_key=True),
    Column("trial", BigInteger, primary_key=True),
    Column("rung", BigInteger, primary_key=True),
    Column("value", Float, nullable=False),
    Column("rank", Float, nullable=False),  # `value`, negated where more is better
    ForeignKeyConstraint(["sweep_id", "trial"], [trials.c.sweep_id, trials.c.number]),
    Index("rungs_by_rank", "sweep_id", "rung", "rank", "trial", "value"),
)

wishes = Table(
    "wishes",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("sweep_id", ForeignKey(sweeps.c.id), nullable=False),
    Column("kind", word(WishKind), nullable=False),
    Column("at", Instant, nullable=False),
    Column("trial", BigInteger),
    Column("is_settled", Boolean, nullable=False),
    Column("workload_id", Words),
    Column("failure", word(FailureClass)),
    Column("params", Json),
)

Index(
    "wishes_open",
    wishes.c.sweep_id,
    wishes.c.is_settled,
    wishes.c.number,
    sqlite_where=wishes.c.is_settled.is_(False),
    postgresql_where=wishes.c.is_settled.is_(False),
)

notices = Table(
    "notices",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("sweep_id", ForeignKey(sweeps.c.id), nullable=False),
    Column("kind", word(NoticeKind), nullable=False),
    Column("at", Instant, nullable=False),
    Column("text", Words, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("settled_at", Instant),
    Column("receiver", Words, nullable=False),
)

Index(
    "notices_open",
    notices.c.sweep_id,
    notices.c.settled_at,
    notices.c.due_at,
    notices.c.number,
    sqlite_where=notices.c.settled_at.is_(None),
    postgresql_where=notices.c.settled_at.is_(None),
)

lease = Table(
    "lease",  # one row: who may write
    metadata,
    Column("epoch", BigInteger, nullable=False),
    Column("instance", Words, nullable=False),
    Column("holder", Words, nullable=False),
    Column("since", Instant, nullable=False),
    Column("expires_at", Instant),
)
