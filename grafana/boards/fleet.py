"""Fleet: all sweeps side by side, and whether the GPUs they hold are put to use."""

from grafana_foundation_sdk.builders import dashboard

from grafana.boards.board import TO_SWEEP, Json, Line, Section, board
from grafana.boards.panels import Query, lines, stacked, tile
from grafana.boards.queries import OVER, SETTLED, ago, increase, latest, of_sweep, rate
from grafana.boards.tables import Column, rows

_MINUTE, _HOUR = 60.0, 3600.0

_OF_SERIES = TO_SWEEP + "${__field.labels.sweep}"

_TRAINING = "max by (workload_id, sweep) "
"""sweeper's side of a join: one series for each training that is alive."""


def fleet() -> Json:
    """Return the board."""
    return board(
        "sweeper-fleet",
        "sweeper / Fleet",
        "All sweeps side by side: which one needs a look, and whether the GPUs are put to use.",
        Section(title="All sweeps", lines=[_now(), _table()]),
        Section(title="Slots and queues", lines=[_slots()]),
        Section(title="GPUs", lines=[_gpus()]),
        Section(title="With Run:ai's own metrics, where they are", lines=[_runai(), _idle()]),
        hours=12,
    )


def _now() -> Line:
    unfinished = f"{latest(of_sweep('sweeper_sweep_progress_ratio'))} < 1"
    owned = f"{OVER} ({of_sweep('sweeper_owner')})"
    alone = tile(
        "Without a daemon",
        "Sweeps within the time shown that had work left when they were last seen, and that no "
        "daemon has now. Start them again: `sweeper run` goes on.",
        Query(f"count ({unfinished} unless on (sweep) ({owned} == 1)) or vector(0)"),
        unit="short",
        steps=((None, "green"), (1, "red")),
        now=True,
    )
    held = tile(
        "Need a person",
        "Trials that are held, of all sweeps: sweeper will not guess.",
        Query(f"sum ({of_sweep('sweeper_sweep_trials', state='held')})"),
        unit="short",
        steps=((None, "green"), (1, "red")),
        now=True,
    )
    oldest = tile(
        "Oldest in the queue",
        "How long the training that queues longest has waited.",
        Query(f"max ({of_sweep('sweeper_oldest_pending_seconds')})"),
        unit="s",
        steps=((None, "green"), (_HOUR / 2, "orange"), (_HOUR, "red")),
        now=True,
    )
    idle = tile(
        "Idle slots",
        "Slots that stood free while trials waited and no limit kept them out; the mean of five "
        "minutes. More than none for long is a daemon or a control plane that does not keep up.",
        Query(rate(of_sweep("sweeper_slot_idle_seconds_total"), window="5m")),
        unit="short",
        steps=((None, "green"), (1, "orange"), (4, "red")),
        now=True,
    ).decimals(1)
    at_work = tile(
        "Sweeps at work",
        "Sweeps that a daemon owns at this moment.",
        Query(f"sum ({owned})"),
        unit="short",
        now=True,
        none="0",
    )
    running = tile(
        "Trainings running",
        "Trainings of all sweeps that are at work.",
        Query(f"sum ({of_sweep('sweeper_trainings', phase='Running')})"),
        unit="short",
        now=True,
    )
    gpus = tile(
        "GPUs requested",
        "By trainings that are not finished, whether or not they run.",
        Query(f"sum ({of_sweep('sweeper_gpus_requested')})"),
        unit="short",
        now=True,
    )
    urgent = [(4, alone), (4, held), (4, oldest), (3, idle)]
    return [*urgent, (3, at_work), (3, running), (3, gpus)]


def _table() -> Line:
    bad = ((None, "green"), (1, "orange"), (10, "red"))
    over = of_sweep("sweeper_sweep_trials", state=SETTLED)
    settled = f"{OVER} (sum by (sweep, instance) (last_over_time({over}[$__range])))"
    table = rows(
        "Sweeps",
        "Every sweep within the time shown; a click on its name shows it alone. Progress, what "
        "is settled or failed and the best objective stay after the end, the rest is of now.",
        Column(title="Sweep", label="sweep", link=TO_SWEEP + "${__value.text}"),
        Column(
            title="Progress",
            expr=latest(of_sweep("sweeper_sweep_progress_ratio")),
            unit="percentunit",
            as_bar=True,
            steps=((None, "blue"), (1, "green")),
            width=200,
        ),
        Column(title="Settled", expr=settled, unit="short", width=90),
        Column(
            title="Time left",
            expr=f"{OVER} ({of_sweep('sweeper_sweep_eta_seconds')})",
            unit="s",
            width=110,
        ),
        Column(
            title="Failed",
            expr=latest(of_sweep("sweeper_sweep_trials", state="failed")),
            unit="short",
            steps=bad,
            width=80,
        ),
        Column(
            title="Held",
            expr=f"{OVER} ({of_sweep('sweeper_sweep_trials', state='held')})",
            unit="short",
            steps=((None, "green"), (1, "red")),
            width=80,
        ),
        Column(
            title="Active",
            expr=f"{OVER} ({of_sweep('sweeper_slots_used', kind='active')})",
            unit="short",
            width=80,
        ),
        Column(
            title="Limit",
            expr=f"{OVER} ({of_sweep('sweeper_slots_limit', kind='active')})",
            unit="short",
            width=80,
        ),
        Column(title="Best", expr=latest(of_sweep("sweeper_objective_best")), width=110),
        Column(title="Objective", label="objective", width=110),
        Column(title="Goal", label="goal", width=100),
        Column(title="Method", label="method", width=100),
        Column(
            title="Last tick",
            expr=ago(of_sweep("sweeper_last_tick_timestamp_seconds")),
            unit="s",
            steps=((None, "green"), (_MINUTE, "orange"), (5 * _MINUTE, "red")),
            width=110,
        ),
        also=[
            "max by (sweep, method, goal, objective) "
            f"(last_over_time({of_sweep('sweeper_sweep_info')}[$__range]))"
        ],
        sort="Progress",
    )
    return [(24, table)]


def _slots() -> Line:
    active = stacked(
        "Active trainings, by sweep",
        "Trainings not finished, by sweep. A click on a line leads to its sweep.",
        Query(f"{OVER} ({of_sweep('sweeper_slots_used', kind='active')})", "{{sweep}}"),
        unit="short",
    )
    pending = lines(
        "Oldest in the queue, by sweep",
        "How long the training that queues longest has waited, by sweep.",
        Query(f"{OVER} ({of_sweep('sweeper_oldest_pending_seconds')})", "{{sweep}}"),
        unit="s",
        steps=((None, "green"), (_HOUR, "red")),
    )
    idle = lines(
        "Idle slots, by sweep",
        "Slots that stood free while trials waited and no limit kept them out, by sweep; the mean "
        "of five minutes.",
        Query(rate(of_sweep("sweeper_slot_idle_seconds_total"), "sweep", window="5m"), "{{sweep}}"),
        unit="short",
        steps=((None, "green"), (4, "red")),
    )
    return [(8, panel.data_links([_to_sweep()])) for panel in (active, pending, idle)]


def _gpus() -> Line:
    requested = stacked(
        "GPUs requested, by sweep",
        "By trainings that are not finished, by sweep.",
        Query(f"{OVER} ({of_sweep('sweeper_gpus_requested')})", "{{sweep}}"),
        unit="short",
    )
    spent = of_sweep("sweeper_gpu_seconds_total")
    useful = of_sweep("sweeper_gpu_seconds_total", use="useful")
    share = lines(
        "Useful share of GPU time within an hour",
        "GPU time that led to a report or to the end of a trial, by all GPU time, waiting "
        "included.",
        Query(f"{increase(useful, 'sweep')} / ({increase(spent, 'sweep')} > 0)", "{{sweep}}"),
        unit="percentunit",
        steps=((None, "red"), (0.5, "green")),
    )
    settled = lines(
        "Trials settled within an hour",
        "Whatever became of them, by sweep.",
        Query(increase(of_sweep("sweeper_trial_outcomes_total"), "sweep"), "{{sweep}}"),
        unit="short",
    ).decimals(0)
    return [(8, panel.data_links([_to_sweep()])) for panel in (requested, share, settled)]


def _joined(metric: str, labels: str = "sweep", with_labels: str = _TRAINING) -> str:
    """Return a metric of Run:ai's with our labels, for trainings of ours that are alive."""
    ours = f"{with_labels}({of_sweep('sweeper_training_info')})"
    return f"{metric} * on (workload_id) group_left ({labels}) {ours}"


def _runai() -> Line:
    utilisation = lines(
        "GPU utilisation",
        "runai_gpu_utilization_per_workload of our trainings, the mean by sweep.",
        Query(f"avg by (sweep) ({_joined('runai_gpu_utilization_per_workload')})", "{{sweep}}"),
        unit="percent",
        steps=((None, "red"), (30, "green")),
    )
    allocated = lines(
        "GPUs allocated",
        "runai_allocated_gpu_count_per_workload of our trainings: what of the request the "
        "scheduler gave.",
        Query(f"sum by (sweep) ({_joined('runai_allocated_gpu_count_per_workload')})", "{{sweep}}"),
        unit="short",
    )
    memory = lines(
        "GPU memory used",
        "runai_gpu_memory_used_mebibytes_per_workload of our trainings, summed by sweep.",
        Query(
            f"sum by (sweep) ({_joined('runai_gpu_memory_used_mebibytes_per_workload')})",
            "{{sweep}}",
        ),
        unit="mbytes",
    )
    return [(8, panel.data_links([_to_sweep()])) for panel in (utilisation, allocated, memory)]


def _idle() -> Line:
    labels = "sweep, trial, attempt, workload_name"
    ours = f"max by (workload_id, {labels}) "
    idle = _joined("runai_gpu_idle_seconds_per_workload", labels, ours)
    table = rows(
        "Trainings whose GPUs idle",
        "Trainings of ours whose GPUs have idled for more than a minute, by "
        "runai_gpu_idle_seconds_per_workload; twenty at most. A rule of the project may stop them.",
        Column(title="Sweep", label="sweep", link=TO_SWEEP + "${__value.text}"),
        Column(title="Trial", label="trial", width=90),
        Column(title="Attempt", label="attempt", width=90),
        Column(title="Workload", label="workload_name"),
        Column(
            title="Idle for",
            expr=f"topk(20, max by ({labels}) ({idle}) > {_MINUTE:g})",
            unit="s",
            steps=((None, "green"), (_HOUR / 4, "orange"), (_HOUR, "red")),
            width=140,
        ),
        sort="Idle for",
        falling=True,
    )
    return [(24, table.height(6))]


def _to_sweep() -> dashboard.DashboardLink:
    return dashboard.DashboardLink("Show this sweep alone").url(_OF_SERIES)
