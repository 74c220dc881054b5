"""The boards and the alerts against the catalogue: neither may name what the other lacks."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from sweeper.domain.accounting import Use
from sweeper.domain.phase import Phase
from sweeper.domain.trial import TERMINAL_STATES, TrialState
from sweeper.telemetry.catalogue import CATALOGUE, Kind
from sweeper.telemetry.labels import BREAKER_STATES
from tests.deploy.boards.asking import ALL, ROOT, Asked, growing, selected

PROCESS = frozenset(
    {
        "process_start_time_seconds",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
    }
)
"""What prometheus-client tells of every process."""

RUNAI = frozenset(
    {
        "runai_allocated_gpu_count_per_workload",
        "runai_gpu_idle_seconds_per_workload",
        "runai_gpu_memory_used_mebibytes_per_workload",
        "runai_gpu_utilization_per_workload",
    }
)
"""What Run:ai documents of each workload and we join with."""

VALUES = {
    ("sweeper_sweep_trials", "state"): frozenset(TrialState),
    ("sweeper_trial_outcomes_total", "state"): frozenset(TERMINAL_STATES),
    ("sweeper_trainings", "phase"): frozenset(Phase),
    ("sweeper_slots_used", "kind"): frozenset({"active", "pending", "gpu"}),
    ("sweeper_slots_limit", "kind"): frozenset({"active", "pending", "gpu"}),
    ("sweeper_gpu_seconds_total", "use"): frozenset(Use),
    ("sweeper_api_breaker_state", "state"): frozenset(BREAKER_STATES),
}
"""The values of labels that queries choose by; an HTTP status may be any."""

ENDINGS = {Kind.HISTOGRAM: ("_bucket", "_sum", "_count")}

SERIES = {
    family.name + ending: family
    for family in CATALOGUE
    for ending in ENDINGS.get(family.kind, ("",))
}

TARGET_LABELS = frozenset({"job", "instance"})
"""What Prometheus adds to each series."""

ids = pytest.mark.parametrize("item", ALL, ids=lambda item: item.name)


def alerts() -> list[str]:
    rules = ROOT / "grafana" / "alerts" / "sweeper.rules.yaml"
    loaded = YAML(typ="safe").load(rules.read_text(encoding="utf-8"))
    return [rule["expr"] for group in loaded["groups"] for rule in group["rules"]]


@ids
def test_a_query_parses_and_its_types_fit(item: Asked) -> None:
    assert list(selected(item.for_prometheus()))


@ids
def test_a_query_names_only_metrics_that_exist(item: Asked) -> None:
    metrics = {one.metric for one in selected(item.for_prometheus())}

    assert metrics - SERIES.keys() - PROCESS - RUNAI == set()


@ids
def test_a_query_selects_by_labels_that_the_metric_has(item: Asked) -> None:
    for one in selected(item.for_prometheus()):
        family = SERIES.get(one.metric)
        labels = frozenset(family.labels) if family is not None else frozenset()
        assert one.labels <= labels | TARGET_LABELS | {"le"}, one.metric


@ids
def test_a_query_chooses_by_values_that_the_label_has(item: Asked) -> None:
    for one in selected(item.for_prometheus()):
        for label, pattern in one.patterns:
            if label not in TARGET_LABELS | {"sweep", "status"}:
                assert set(pattern.split("|")) <= VALUES[one.metric, label], pattern


@ids
def test_a_query_asks_for_the_growth_of_what_only_grows_and_of_nothing_else(item: Asked) -> None:
    expr = item.for_prometheus()
    grows = {name for name, family in SERIES.items() if family.kind in {*ENDINGS, Kind.COUNTER}}
    grows |= {name for name in PROCESS if name.endswith("_total")}

    asked = {one.metric for one in selected(expr)}
    assert set(growing(expr)) == asked & grows


def _chosen(panel: str, metric: str, label: str) -> list[str]:
    return sorted(
        value
        for item in ALL
        if item.panel == panel
        for one in selected(item.for_prometheus())
        if one.metric == metric
        for value in dict(one.patterns)[label].split("|")
    )


def test_every_state_of_a_trial_is_in_the_stack_once() -> None:
    assert _chosen("Trials by state", "sweeper_sweep_trials", "state") == sorted(TrialState)


def test_every_phase_of_a_training_is_in_the_stack_once() -> None:
    stack = "Active trainings against the limit"

    assert _chosen(stack, "sweeper_trainings", "phase") == sorted(Phase)


@ids
def test_only_what_is_of_a_sweep_is_selected_by_sweep(item: Asked) -> None:
    for one in selected(item.for_prometheus()):
        if one.metric in SERIES:
            has_sweep = "sweep" in SERIES[one.metric].labels
            assert ("sweep" in one.labels) == has_sweep, one.metric


def test_every_metric_is_used_by_a_panel_or_an_alert() -> None:
    exprs = [item.for_prometheus() for item in ALL] + alerts()

    used = {
        SERIES[one.metric].name for expr in exprs for one in selected(expr) if one.metric in SERIES
    }

    assert {family.name for family in CATALOGUE} - used == set()


@pytest.mark.parametrize("broken", ["rate(sweeper_owner)", "sum by (sweep", "1 and 2"])
def test_what_is_no_promql_of_right_types_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(selected(broken))


def test_the_queries_inside_of_any_expression_are_found() -> None:
    text = 'topk(2, a) / on (x) group_left () (-b{x="1"}) or quantile_over_time(0.5, c[5m:1m])'

    assert {one.metric for one in selected(text)} == {"a", "b", "c"}


def test_there_are_boards() -> None:
    assert {Path(item.board).name for item in ALL} == {
        "sweeper-sweeps",
        "sweeper-daemon",
        "sweeper-fleet",
    }
