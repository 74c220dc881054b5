from dataclasses import replace

import pytest

from sweeper.domain.sweep import (
    EarlyTerminateSpec,
    Goal,
    ObjectiveSpec,
    StoppingAction,
    StoppingRule,
)
from tests.sweepfile.files import PLAIN, read, spec_of, the_fault

METRIC = PLAIN + "metric: {name: loss}\n"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{name: loss}", ObjectiveSpec(name="loss")),
        ("{name: acc, goal: maximize}", ObjectiveSpec(name="acc", goal=Goal.MAXIMIZE)),
        ("{name: val/loss, target: 1}", ObjectiveSpec(name="val/loss", target=1.0)),
        (
            "{name: a, impute: best, impute_while_running: latest}",
            ObjectiveSpec(name="a"),
        ),
        ("{name: a, impute_while_running: false}", ObjectiveSpec(name="a")),
        ("", None),
    ],
)
def test_a_metric_is_the_objective(written: str, meant: ObjectiveSpec | None) -> None:
    assert spec_of(PLAIN + f"metric: {written}").objective == meant


@pytest.mark.parametrize(
    ("written", "path", "said"),
    [
        ("loss", "metric", '"loss" is no mapping: write {name: loss, goal: minimize}'),
        ("{name: a, goal: max}", "metric.goal", "did you mean maximize?"),
        ("{name: a, goal: Minimise}", "metric.goal", "did you mean minimize?"),
        ("{name: a, goal: up}", "metric.goal", "write minimize or maximize"),
        ("{name: a, goal: [max]}", "metric.goal", "a list is no goal"),
        ("{name: a, target: low}", "metric.target", '"low" is text'),
        ("{name: a, targt: 1}", "metric.targt", "did you mean target?"),
        ("{name: 3}", "metric.name", "3 is no text: quote it"),
        ("{name: ''}", "metric.name", "is empty"),
        ("{name: a, impute: mean}", "metric.impute", "write 'latest', 'best' or 'worst'"),
    ],
)
def test_a_wrong_metric_is_a_fault(written: str, path: str, said: str) -> None:
    fault = the_fault(PLAIN + f"metric: {written}")

    assert (fault.line, fault.path) == (6, path)
    assert said in fault.message


@pytest.mark.parametrize(
    ("written", "path", "said"),
    [
        ("{goal: maximize}", "metric", "name is missing"),
        ("{name: a, weather: 1}", "metric.weather", "W&B does not know this key"),
    ],
)
def test_what_w_and_b_lets_pass_in_a_metric_is_a_violation(
    written: str, path: str, said: str
) -> None:
    (violation,) = read(PLAIN + f"metric: {written}").violations

    assert violation.path == path
    assert said in violation.message


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("max_iter: 27, s: 2", EarlyTerminateSpec(rungs=(3, 9))),
        ("max_iter: 81, s: 3, strict: false", EarlyTerminateSpec(rungs=(3, 9, 27), strict=False)),
        ("max_iter: 27, s: 2, min_iter: 1", EarlyTerminateSpec(rungs=(3, 9))),
        ("max_iter: 8, s: 2.0, eta: 2.0", EarlyTerminateSpec(rungs=(2, 4), eta=2.0)),
    ],
)
def test_early_terminate_is_read_into_bands(written: str, meant: EarlyTerminateSpec) -> None:
    found = spec_of(METRIC + f"early_terminate: {{type: hyperband, {written}}}")

    assert found.early_terminate == replace(meant, min_trials=5)


def test_min_iter_gives_a_hundred_bands() -> None:
    found = spec_of(METRIC + "early_terminate: {type: hyperband, min_iter: 3}").early_terminate

    assert found is not None
    assert found.rungs[:4] == (3, 9, 27, 81)
    assert len(found.rungs) == 100


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (
            "type: asha, max_iter: 27",
            EarlyTerminateSpec(
                rule=StoppingRule.ASHA, action=StoppingAction.PROMOTE, rungs=(1, 3, 9)
            ),
        ),
        (
            "type: asha, min_iter: 2, max_iter: 9, eta: 2, action: stop",
            EarlyTerminateSpec(rule=StoppingRule.ASHA, rungs=(2, 4, 8), eta=2.0),
        ),
        (
            "type: successive_halving, max_iter: 4, bracket: 9",
            EarlyTerminateSpec(
                rule=StoppingRule.SUCCESSIVE_HALVING,
                action=StoppingAction.PROMOTE,
                rungs=(1, 3),
                bracket=9,
            ),
        ),
        ("type: patience, patience: 7", EarlyTerminateSpec(rule=StoppingRule.PATIENCE, patience=7)),
    ],
)
def test_our_own_rules_are_read(written: str, meant: EarlyTerminateSpec) -> None:
    found = spec_of(METRIC + f"early_terminate: {{{written}}}").early_terminate

    assert found == replace(meant, min_trials=5)


def test_median_and_threshold_compare_at_even_distances() -> None:
    found = spec_of(METRIC + "early_terminate: {type: median, min_iter: 4, every: 2}")
    other = spec_of(METRIC + "early_terminate: {type: threshold, min_iter: 3, value: 1}")

    assert found.early_terminate is not None
    assert other.early_terminate is not None
    assert found.early_terminate.rungs[:3] == (4, 6, 8)
    assert (other.early_terminate.rungs[:3], other.early_terminate.threshold) == ((3, 6, 9), 1.0)


def test_our_own_rules_need_a_metric() -> None:
    fault = the_fault(PLAIN + "early_terminate: {type: median}")

    assert "needs a metric" in fault.message


def test_halving_without_end_needs_a_bracket() -> None:
    fault = the_fault(METRIC + "early_terminate: {type: successive_halving, max_iter: 9}")

    assert "write bracket, or run_cap" in fault.message


def test_early_stopping_without_a_metric_is_warned_of() -> None:
    found = read(PLAIN + "early_terminate: {type: hyperband, min_iter: 3}").warnings

    assert "needs a metric" in found[0].message


@pytest.mark.parametrize(
    ("written", "path", "said"),
    [
        ("{min_iter: 3}", "early_terminate.type", "type is missing"),
        ("{type: envelope}", "early_terminate.type", "write 'hyperband'"),
        ("{type: hyperband}", "early_terminate", "write min_iter, or max_iter and s"),
        ("{type: hyperband, max_iter: 9}", "early_terminate", "write s: 2"),
        ("{type: hyperband, max_iter: 2, s: 1}", "early_terminate", "is below eta 3"),
        ("{type: hyperband, min_iter: 3, eta: 1}", "early_terminate", "eta 1 is not above 1"),
        ("{type: hyperband, min_iter: 0}", "early_terminate.min_iter", "write 1 or more"),
        ("{type: hyperband, min_iter: 1.5}", "early_terminate.min_iter", "no whole number"),
        ("{type: hyperband, max_iter: 9, s: 2000}", "early_terminate.s", "write 1000 or less"),
        ("{type: hyperband, min_iter: 3, strict: 1}", "early_terminate.strict", "true nor false"),
        ("hyperband", "early_terminate", "write {type: hyperband, min_iter: 3}"),
        ("{type: asha, min_iter: 9, max_iter: 9}", "early_terminate", "min_iter is not below 9"),
        ("{type: asha, s: 2}", "early_terminate", "s means nothing for asha, which takes"),
        ("{type: percentile}", "early_terminate", "write percentile: 25"),
        ("{type: percentile, percentile: 101}", "early_terminate", "not within 0 and 100"),
        ("{type: threshold}", "early_terminate", "write value: 0.5"),
        ("{type: patience}", "early_terminate", "write patience: 5"),
        ("{type: median, action: promote}", "early_terminate", "median promotes nobody"),
        ("{type: successive_halving, action: stop}", "early_terminate", "leave action out"),
    ],
)
def test_wrong_early_stopping_is_a_fault(written: str, path: str, said: str) -> None:
    fault = the_fault(METRIC + f"early_terminate: {written}")

    assert (fault.line, fault.path) == (7, path)
    assert said in fault.message
