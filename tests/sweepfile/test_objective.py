import pytest

from sweeper.domain.sweep import EarlyTerminateSpec, Goal, ObjectiveSpec
from tests.sweepfile.files import PLAIN, read, spec_of, the_fault, told

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
        ("max_iter: 27, s: 2", EarlyTerminateSpec(bands=(3, 9))),
        ("max_iter: 81, s: 3, strict: false", EarlyTerminateSpec(bands=(3, 9, 27), strict=False)),
        ("max_iter: 27, s: 2, min_iter: 1", EarlyTerminateSpec(bands=(3, 9))),
        ("max_iter: 8, s: 2.0, eta: 2.0", EarlyTerminateSpec(bands=(2, 4), eta=2.0)),
    ],
)
def test_early_terminate_is_read_into_bands(written: str, meant: EarlyTerminateSpec) -> None:
    found = spec_of(METRIC + f"early_terminate: {{type: hyperband, {written}}}")

    assert found.early_terminate == meant


def test_min_iter_gives_a_hundred_bands() -> None:
    found = spec_of(METRIC + "early_terminate: {type: hyperband, min_iter: 3}").early_terminate

    assert found is not None
    assert found.bands[:4] == (3, 9, 27, 81)
    assert len(found.bands) == 100


def test_early_stopping_is_said_not_to_happen() -> None:
    (warning,) = read(METRIC + "early_terminate: {type: hyperband, min_iter: 3}").warnings

    assert told(warning) == (7, 1, "early_terminate")
    assert "all run to their end" in warning.message


def test_early_stopping_without_a_metric_is_warned_of() -> None:
    found = read(PLAIN + "early_terminate: {type: hyperband, min_iter: 3}").warnings

    assert "needs a metric" in found[1].message


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
    ],
)
def test_wrong_early_stopping_is_a_fault(written: str, path: str, said: str) -> None:
    fault = the_fault(METRIC + f"early_terminate: {written}")

    assert (fault.line, fault.path) == (7, path)
    assert said in fault.message
