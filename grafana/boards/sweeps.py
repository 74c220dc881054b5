"""Sweeps: how far each one is, how good it is, and what stood in its way."""

from grafana.boards.board import Json, Line, Section, board
from grafana.boards.panels import COLOURS, Query, above, dial, lines, stacked, tile
from grafana.boards.queries import OVER, SETTLED, ago, increase, of_sweep, quantile

_STATES = {
    "completed": "completed",
    "pruned": "pruned",
    "failed": "failed",
    "cancelled": "cancelled",
    "active": "active|submitting|resuming",
    "interrupted": "interrupted",
    "parked": "parked",
    "held": "held",
    "waiting": "waiting",
}
"""From the bottom of the stack to its top: what is settled, what is alive, what is to come."""

_PHASES = {
    "running": "Running",
    "starting": "Creating|Initializing|Resuming|Updating",
    "queued": "Pending",
    "leaving": "Stopping|Terminating|Deleting",
    "stopped": "Stopped",
    "unclear": "Degraded|Unknown|Failed|Completed",
}
"""The control plane's phases, in the few groups that a glance can tell apart."""

_HOUR, _MINUTE = 3600.0, 60.0


def sweeps() -> Json:
    """Return the board."""
    return board(
        "sweeper-sweeps",
        "sweeper / Sweeps",
        "How far each sweep is, how good it is so far, and what stood in its way.",
        Section(
            title="$sweep",
            repeat="sweep",
            lines=[_glance(), _course(), _value(), _trouble(), _movement()],
        ),
        hours=6,
    )


def _glance() -> Line:
    progress = dial(
        "Progress",
        "Settled trials by planned ones; whole once the sweep has ended. A sweep without bound "
        "has no progress.",
        Query(f"{OVER} ({of_sweep('sweeper_sweep_progress_ratio')})"),
    )
    trials = tile(
        "Trials",
        "Trials that are over, whatever became of them, and trials that the sweep has in all.",
        Query(f"sum by (sweep) ({of_sweep('sweeper_sweep_trials', state=SETTLED)})", "settled"),
        Query(f"{OVER} ({of_sweep('sweeper_sweep_trials_planned')})", "planned"),
        unit="short",
    )
    rest = tile(
        "Time left",
        "Until all planned trials are settled, if they go on settling as they did since the "
        "daemon began. Not known before the first one is settled.",
        Query(f"{OVER} ({of_sweep('sweeper_sweep_eta_seconds')})"),
        unit="s",
        now=True,
        none="not known",
    )
    best = tile(
        "Best so far",
        "The best objective of all trials, with its course over the time shown.",
        Query(
            f"{OVER} ({of_sweep('sweeper_objective_best')})",
        ),
        unit="none",
        none="none yet",
    )
    failed = tile(
        "Failed",
        "Trials that ended badly and are not tried again. `sweeper show` says why; "
        "`sweeper retry --failed` gives them a new chance.",
        Query(f"sum by (sweep) ({of_sweep('sweeper_sweep_trials', state='failed')})"),
        unit="short",
        steps=((None, "green"), (1, "orange"), (10, "red")),
    )
    held = tile(
        "Needs a person",
        "Trials held because sweeper will not guess: `sweeper show` says why. Each keeps its slot "
        "until someone decides.",
        Query(f"sum by (sweep) ({of_sweep('sweeper_sweep_trials', state='held')})"),
        unit="short",
        steps=((None, "green"), (1, "red")),
    )
    alive = tile(
        "Last tick",
        "How long ago the daemon last looked at everything. More than a minute is late; no daemon "
        "is right only for a sweep that has ended.",
        Query(ago(of_sweep("sweeper_last_tick_timestamp_seconds"))),
        unit="s",
        steps=((None, "green"), (_MINUTE, "orange"), (5 * _MINUTE, "red")),
        now=True,
        none="no daemon",
    )
    return [(4, progress), (4, trials), (4, rest), (4, best), (2, failed), (3, held), (3, alive)]


def _course() -> Line:
    trials = stacked(
        "Trials by state",
        "From below: what is settled, what is alive, what is still to come.",
        *(
            Query(f"sum ({of_sweep('sweeper_sweep_trials', state=pattern)})", state)
            for state, pattern in _STATES.items()
        ),
        unit="short",
    )
    active = above(
        stacked(
            "Active trainings against the limit",
            "Trainings not finished, by what the control plane last said of them, against the "
            "sweep's limit. A gap below the line while trials wait is an idle slot.",
            *(
                Query(f"sum ({of_sweep('sweeper_trainings', phase=pattern)})", phase)
                for phase, pattern in _PHASES.items()
            ),
            unit="short",
        ),
        Query(f"max ({of_sweep('sweeper_slots_limit', kind='active')})", "limit"),
    )
    return [(12, trials), (12, active)]


def _value() -> Line:
    objective = lines(
        "Best objective so far",
        "The best objective of all trials; its name and its goal stand in the legend.",
        Query(
            f"max by (sweep, objective, goal) ({of_sweep('sweeper_objective_best')}"
            " * on (job, instance, sweep) group_left (objective, goal)"
            f" {of_sweep('sweeper_sweep_info')})",
            "{{objective}} ({{goal}})",
        ),
        unit="none",
        from_zero=False,
    )
    since = lines(
        "Time since it got better",
        "Since the best objective was reported. A line that only climbs is a search that found "
        "what it can, or one that is stuck.",
        Query(ago(of_sweep("sweeper_objective_last_improvement_timestamp_seconds")), "since then"),
        unit="s",
    )
    spent = stacked(
        "GPU time within an hour",
        "GPUs requested times time, summed over the hour before. Lost: work after the last report "
        "of a training that was interrupted or failed. Waiting to run: GPUs asked for and not "
        "yet at work.",
        *(
            Query(increase(of_sweep("sweeper_gpu_seconds_total", use=use)), legend)
            for use, legend in (
                ("useful", "useful"),
                ("lost", "lost"),
                ("wasted_pending", "waiting to run"),
            )
        ),
        unit="s",
    )
    return [(8, objective), (8, since), (8, spent)]


def _trouble() -> Line:
    interruptions = lines(
        "Interruptions within ten minutes",
        "Trainings that lost their place to the scheduler, that somebody else suspended, and "
        "resumes that we asked for.",
        Query(increase(of_sweep("sweeper_preemptions_total"), window="10m"), "preempted"),
        Query(
            increase(of_sweep("sweeper_suspensions_total"), "by", window="10m"),
            "suspended by {{by}}",
            {"other": "yellow", "us": "semi-dark-blue"},
        ),
        Query(
            increase(of_sweep("sweeper_resumes_total"), "outcome", window="10m"),
            "resume {{outcome}}",
            {"accepted": "green", "failed": "red"},
        ),
        unit="short",
    ).decimals(0)
    delay = of_sweep("sweeper_resume_delay_seconds_bucket")
    recovery = lines(
        "Time to recover",
        "From a preemption, or a suspension by someone else, until the trial ran again; of the "
        "recoveries of the hour before.",
        Query(quantile(0.5, delay), "half within"),
        Query(quantile(0.9, delay), "nine of ten within"),
        unit="s",
        steps=((None, "green"), (_HOUR, "red")),
    )
    failures = lines(
        "Attempts lost and trials failed within an hour",
        "New attempts by why the one before was lost, and trials that failed for good.",
        Query(increase(of_sweep("sweeper_resubmits_total"), "cause"), "again: {{cause}}"),
        Query(increase(of_sweep("sweeper_trial_outcomes_total", state="failed")), "failed"),
        unit="short",
    ).decimals(0)
    return [(8, interruptions), (8, recovery), (8, failures)]


def _movement() -> Line:
    pending = lines(
        "Waiting to run",
        "How long the training that queues longest has waited, and how long those that came to "
        "run within the hour before had waited.",
        Query(f"max ({of_sweep('sweeper_oldest_pending_seconds')})", "oldest now"),
        Query(
            quantile(0.9, of_sweep("sweeper_pending_duration_seconds_bucket")), "nine of ten within"
        ),
        unit="s",
        steps=((None, "green"), (_HOUR, "red")),
    )
    length = of_sweep("sweeper_trial_duration_seconds_bucket")
    durations = lines(
        "How long trials take",
        "From the first intent to the end, queues and all attempts included: the median of those "
        "that ended within six hours before.",
        Query(quantile(0.5, length, "state", window="6h"), "{{state}}", COLOURS),
        unit="s",
    )
    creates = lines(
        "Creates within ten minutes",
        "Creates sent to the control plane, by what became of them. An ambiguous one was cut "
        "short, and is looked up before it is sent again.",
        Query(
            increase(of_sweep("sweeper_submissions_total"), "outcome", window="10m"),
            "{{outcome}}",
            {"created": "green", "ambiguous": "orange", "rejected": "red", "forbidden": "purple"},
        ),
        unit="short",
    ).decimals(0)
    reports = lines(
        "Reports within ten minutes",
        "Reports from trainings. One that is known was received before; one that is refused had "
        "no good token or made no sense.",
        Query(
            increase(of_sweep("sweeper_reports_total"), "outcome", window="10m"),
            "{{outcome}}",
            {"new": "green", "known": "blue", "refused": "red"},
        ),
        unit="short",
    ).decimals(0)
    length = of_sweep("sweeper_suggestion_duration_seconds_bucket")
    thinking = lines(
        "How long suggestions take",
        "Where a model suggests the params of trials: the time that nine of ten took, beside the "
        "ticks. Slots stay free for so long.",
        Query(quantile(0.9, length, window="1h"), "nine of ten within"),
        unit="s",
    )
    suggestions = lines(
        "Suggestions within ten minutes",
        "Params that a sampler was asked for. A random one stands in where the sampler failed: "
        "the log says why.",
        Query(
            increase(of_sweep("sweeper_suggestions_total"), "outcome", window="10m"),
            "{{outcome}}",
            {"suggested": "green", "random": "red"},
        ),
        unit="short",
    ).decimals(0)
    decisions = lines(
        "Decisions of early stopping within an hour",
        "What became of trials that were compared: pruned for good, parked until promoted, "
        "promoted, or kept as they were.",
        Query(
            increase(of_sweep("sweeper_stopping_decisions_total"), "outcome"),
            "{{outcome}}",
            COLOURS,
        ),
        unit="short",
    ).decimals(0)
    return [
        *((6, pending), (6, durations), (6, creates), (6, reports)),
        *((8, thinking), (8, suggestions), (8, decisions)),
    ]
