"""What the live display shows: pure functions from a tick to something that rich can draw."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sweeper.domain.trial import TERMINAL_STATES, TrialState
from sweeper.domain.wording import phrase_duration, printable
from sweeper.ports import TickSummary
from sweeper.telemetry.pace import Pace, guess_rest
from sweeper.telemetry.phrases import phrase_best, phrase_count, phrase_name

_LONGEST_TROUBLE = 300

_STYLES = {
    "running": "green",
    "held": "yellow",
    "interrupted": "yellow",
    "failed": "red",
    "completed": "bold",
}

_OTHERS = (
    TrialState.INTERRUPTED,
    TrialState.RESUMING,
    TrialState.PARKED,
    TrialState.HELD,
    TrialState.COMPLETED,
    TrialState.PRUNED,
    TrialState.FAILED,
    TrialState.CANCELLED,
)


def draw_progress(summary: TickSummary, pace: Pace, now: datetime) -> RenderableType:
    """Return the picture of a sweep as of `now`: progress, counts, best objective, times."""
    below = (Padding(line, (0, 0, 0, 2), expand=False) for line in _lines(summary, pace, now))
    return Group(_headline(summary), *below)


def _lines(summary: TickSummary, pace: Pace, now: datetime) -> Iterator[Text]:
    yield _counts(summary)
    best = phrase_best(summary.sweep, summary.best)
    if best:
        yield Text(best, style="cyan")
    yield _times(summary, pace, now)
    if summary.trouble:
        yield Text(f"! {printable(summary.trouble, _LONGEST_TROUBLE)}", style="bold yellow")


def _headline(summary: TickSummary) -> RenderableType:
    name = Text(phrase_name(summary.sweep.name), style="bold", no_wrap=True, overflow="ellipsis")
    settled = summary.totals.count(*TERMINAL_STATES)
    planned = summary.sweep.planned
    if planned is None:
        return Text.assemble(name, f"  {settled} settled")
    row = Table.grid(padding=(0, 1), expand=True)
    row.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    row.add_column(ratio=2)
    row.add_column(justify="right", no_wrap=True)
    ratio = settled / planned if planned else 1.0
    bar = ProgressBar(total=1.0, completed=ratio, complete_style="green", finished_style="green")
    row.add_row(name, bar, f"{settled}/{phrase_count(planned)}")
    return row


def _counts(summary: TickSummary) -> Text:
    counts = dict(_counted(summary))
    words = [
        Text(f"{phrase_count(count)} {word}", style=_STYLES.get(word, ""))
        for word, count in counts.items()
        if count or word == "running"
    ]
    return Text(" · ").join(words)


def _counted(summary: TickSummary) -> Iterator[tuple[str, int]]:
    """Return how many trials are where; an active one runs or queues."""
    totals, planned = summary.totals, summary.sweep.planned
    running = sum(
        trial.state is TrialState.ACTIVE and trial.submission.is_at_work for trial in summary.live
    )
    yield "running", running
    yield "pending", totals.count(TrialState.ACTIVE, TrialState.SUBMITTING) - running
    for state in _OTHERS:
        yield state, totals.count(state)
    if planned is not None:
        yield "waiting", max(planned - totals.next_number, 0)


def _times(summary: TickSummary, pace: Pace, now: datetime) -> Text:
    words = f"{phrase_duration(now - pace.since)} elapsed"
    rest = guess_rest(pace, summary, now)
    return Text(words if rest is None else f"{words}, about {phrase_duration(rest)} left")
