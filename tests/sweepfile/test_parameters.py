from typing import Any

import pytest

from sweeper.domain import parameters as p
from sweeper.domain import quantiles
from sweeper.errors import MissingExtraError
from tests.sweepfile.files import faults_of, read, spec_of, the_fault, told, with_parameters


def parameter(written: str) -> Any:
    return spec_of(with_parameters(f"  x: {written}")).space.parameters["x"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{value: 3}", p.Constant(value=3)),
        ("{value: null}", p.Constant(value=None)),
        ("{distribution: constant, value: [1, a]}", p.Constant(value=[1, "a"])),
        ("{values: [1, b, null]}", p.Categorical(values=(1, "b", None))),
        ("{distribution: categorical, values: [1]}", p.Categorical(values=(1,))),
        (
            "{values: [a, b], probabilities: [0.25, 0.75]}",
            p.WeightedCategorical(values=("a", "b"), probabilities=(0.25, 0.75)),
        ),
        ("{min: 1, max: 10}", p.IntUniform(min=1, max=10)),
        ("{distribution: int_uniform, min: 1.0, max: 1e1}", p.IntUniform(min=1, max=10)),
        ("{min: 1.0, max: 10}", p.Uniform(min=1.0, max=10)),
        ("{min: 0, max: 0.1}", p.Uniform(min=0, max=0.1)),
        ("{distribution: uniform, min: 1, max: 10}", p.Uniform(min=1, max=10)),
        ("{distribution: q_uniform, min: 1, max: 9}", p.QUniform(min=1, max=9, q=1.0)),
        ("{distribution: q_uniform, min: 1, max: 9, q: 4}", p.QUniform(min=1, max=9, q=4)),
        ("{distribution: log_uniform, min: -5, max: 0}", p.LogUniform(min=-5, max=0)),
        ("{distribution: q_log_uniform, min: 0, max: 5}", p.QLogUniform(min=0, max=5, q=1.0)),
        ("{distribution: inv_log_uniform, min: 1, max: 5}", p.InvLogUniform(min=1, max=5)),
        (
            "{distribution: log_uniform_values, min: 1e-4, max: 1}",
            p.LogUniformValues(min=1e-4, max=1),
        ),
        (
            "{distribution: q_log_uniform_values, min: 32, max: 256, q: 8}",
            p.QLogUniformValues(min=32, max=256, q=8),
        ),
        (
            "{distribution: inv_log_uniform_values, min: 0.1, max: 1}",
            p.InvLogUniformValues(min=0.1, max=1),
        ),
        ("{distribution: normal}", p.Normal(mu=0.0, sigma=1.0)),
        ("{distribution: q_normal, mu: 5, q: 2}", p.QNormal(mu=5, sigma=1.0, q=2)),
        ("{distribution: log_normal, sigma: 0}", p.LogNormal(mu=0.0, sigma=0)),
        ("{distribution: q_log_normal}", p.QLogNormal(mu=0.0, sigma=1.0, q=1.0)),
        ("{distribution: beta, a: 2}", p.Beta(a=2, b=1.0)),
        ("{distribution: q_beta, q: 0.1}", p.QBeta(a=1.0, b=1.0, q=0.1)),
    ],
)
def test_a_parameter_is_what_its_keys_tell(written: str, meant: p.Parameter) -> None:
    found = parameter(written)

    assert (type(found), found) == (type(meant), meant)
    assert repr(found) == repr(meant)


def test_parameters_nest() -> None:
    space = parameter("{parameters: {a: {value: 1}, b: {parameters: {c: {values: [2]}}}}}")

    inner = p.SearchSpace(parameters={"c": p.Categorical(values=(2,))})
    assert space == p.SearchSpace(parameters={"a": p.Constant(value=1), "b": inner})


@pytest.mark.parametrize(
    ("written", "column", "path", "said"),
    [
        ("0.1", 6, "x", "0.1 is no mapping: write {value: 0.1}"),
        ("abc", 6, "x", "write {value: abc}"),
        ("", 3, "x", "null is no mapping"),
        ("[1, 2]", 3, "x", "write {values: [...]}"),
        ("{}", 3, "x", "write value, values, or min and max"),
        ("{min: 0.1, max: 0.01}", 3, "x", "min 0.1 is above max 0.01: swap them"),
        ("{min: 1, max: 1}", 3, "x", "both 1: write a larger max, or {value: 1}"),
        ("{min: 1}", 3, "x.max", "max is missing"),
        ("{max: 1.0}", 3, "x.min", "min is missing"),
        ("{min: '1', max: 2}", 12, "x.min", '"1" is text: write a number'),
        ("{min: true, max: 2}", 12, "x.min", "true is no number"),
        ("{min: 1, max: ~}", 15, "x.max", "null is no number"),
        ("{min: .nan, max: 2}", 12, "x.min", ".nan is no finite number"),
        ("{min: 0, max: .inf}", 20, "x.max", ".inf is no finite number"),
        ("{disribution: normal, min: 1, max: 2}", 7, "x.disribution", "did you mean distribution?"),
        ("{vaule: 1}", 7, "x.vaule", "did you mean value?"),
        ("{value: 1, values: [2]}", 17, "x.values", "keep either values or the rest"),
        ("{min: 1, max: 2, q: 1}", 23, "x.q", "write distribution: q_uniform"),
        ("{min: 1, max: 2, foo: 1}", 23, "x.foo", "known here are min, max, distribution"),
        ("{mu: 1, sigma: 2}", 3, "x", "write distribution: normal"),
        (
            "{distribution: categorical, values: [1], probabilities: [1]}",
            47,
            "x.probabilities",
            "categorical_w_probabilities",
        ),
        ("{distribution: normall}", 21, "x.distribution", "did you mean normal?"),
        ("{distribution: zipf, min: 1}", 21, "x.distribution", "write one of constant, categ"),
        ("{distribution: 3}", 21, "x.distribution", "3 is no distribution"),
        ("{distribution: int_uniform, min: 0.5, max: 2}", 39, "x.min", "0.5 is no whole number"),
        ("{values: []}", 7, "x.values", "write 1 or more"),
        ("{values: 3}", 15, "x.values", "3 is no list: write [a, b]"),
        ("{values: [1, 2], probabilities: [1]}", 3, "x", "2 values have 1 probabilities"),
        ("{values: [1, 2], probabilities: [0.5, 0.6]}", 3, "x", "add up to 1.1"),
        ("{values: [1], probabilities: [a]}", 36, "x.probabilities[0]", '"a" is text'),
        (
            "{values: [1, 2], probabilities: [-1, 2]}",
            39,
            "x.probabilities[0]",
            "-1 is negative: write 0 or more",
        ),
        ("{distribution: q_uniform, min: 0, max: 1, q: 0}", 51, "x.q", "0 is not above 0"),
        ("{distribution: q_normal, q: -1}", 34, "x.q", "-1 is not above 0"),
        ("{distribution: q_uniform, min: 0, max: 1, q: 1e-310}", 3, "x", "too small a step"),
        (
            "{distribution: q_log_uniform_values, min: 1, max: 2, q: 1e-310}",
            3,
            "x",
            "too small a step",
        ),
        ("{distribution: log_uniform_values, min: 0, max: 1}", 46, "x.min", "0 is not above 0"),
        ("{distribution: log_uniform, min: 1, max: 1000}", 3, "x", "write log_uniform_values"),
        ("{distribution: normal, sigma: -1}", 36, "x.sigma", "-1 is negative"),
        ("{distribution: beta, a: -1}", 30, "x.a", "-1 is negative"),
        ("{parameters: {y: 1}}", 23, "x.parameters.y", "write {value: 1}"),
        ("{parameters: {}}", 7, "x.parameters", "write at least one"),
        ("{parameters: 3}", 19, "x.parameters", "3 is no mapping"),
        ("{parameters: {y: {value: 1}}, value: 2}", 36, "x.value", "keep one of them"),
    ],
)
def test_what_cannot_be_drawn_is_a_fault(written: str, column: int, path: str, said: str) -> None:
    fault = the_fault(with_parameters(f"  x: {written}"))

    assert told(fault) == (4, column, f"parameters.{path}")
    assert said in fault.message


@pytest.mark.parametrize("written", ["{}", "3", "[a]", ""])
def test_there_is_at_least_one_parameter(written: str) -> None:
    fault = the_fault(f"method: random\nprogram: x\nparameters: {written}\n")

    assert fault.line == 3
    assert "write" in fault.message


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{min: 0.1, max: 1.0}", "a grid cannot walk uniform"),
        ("{distribution: log_uniform_values, min: 1, max: 2}", "cannot walk log_uniform_values"),
        ("{values: [1], probabilities: [1]}", "cannot walk categorical_w_probabilities"),
        ("{distribution: normal}", "distribution: q_uniform with a step q"),
    ],
)
def test_a_grid_walks_no_range(written: str, said: str) -> None:
    fault = the_fault(with_parameters(f"  x: {written}", method="grid"))

    assert told(fault) == (4, 3, "parameters.x")
    assert said in fault.message


def test_a_grid_walks_no_range_inside_either() -> None:
    text = with_parameters("  x: {parameters: {y: {distribution: normal}}}", method="grid")

    assert the_fault(text).path == "parameters.x.parameters.y"


def test_a_grid_walks_values_and_steps() -> None:
    lines = "  a: {min: 1, max: 9}\n  b: {value: 1}\n  c: {values: [x]}\n"
    lines += "  d: {distribution: q_uniform, min: 0, max: 1, q: 0.5}"

    assert len(spec_of(with_parameters(lines, method="grid")).space.parameters) == 4


@pytest.mark.parametrize("name", ["a b", "^lr", "+trainer.lr", "a/b", "1st", "größe"])
def test_a_name_off_w_and_bs_pattern_is_only_a_violation(name: str) -> None:
    found = read(with_parameters(f"  {name}: {{value: 1}}"))

    assert [told(each) for each in found.violations] == [(4, 3, f"parameters.{name}")]
    assert list(found.spec.space.parameters) == [name]


@pytest.mark.parametrize("name", ["a", "_x", "a.b.c", "lr-0", "A1"])
def test_a_name_on_the_pattern_is_no_violation(name: str) -> None:
    assert read(with_parameters(f"  {name}: {{value: 1}}")).violations == ()


def test_a_parameter_needs_a_name() -> None:
    fault = the_fault(with_parameters("  '': {value: 1}"))

    assert "without a name" in fault.message


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{distribution: log_uniform, min: -2, max: 0}", "between 0.135335 and 1: write log_unif"),
        ("{distribution: q_log_uniform, min: 0, max: 1}", "write q_log_uniform_values"),
        ("{distribution: inv_log_uniform, min: 0, max: 2}", "between 0.135335 and 1"),
    ],
)
def test_exponents_are_deprecated(written: str, said: str) -> None:
    (violation,) = read(with_parameters(f"  x: {written}")).violations

    assert told(violation) == (4, 3, "parameters.x")
    assert said in violation.message


def test_mixed_bounds_are_warned_of_unless_the_distribution_is_said() -> None:
    silent = read(with_parameters("  x: {distribution: uniform, min: 0, max: 0.5}"))
    loud = read(with_parameters("  x: {min: 0, max: 0.5}"))

    assert silent.warnings == ()
    assert "write distribution: uniform" in loud.warnings[0].message


def test_beta_without_scipy_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: float) -> float:
        raise MissingExtraError("the beta distribution", "search")

    monkeypatch.setattr(quantiles, "beta", missing)

    fault = the_fault(with_parameters("  x: {distribution: beta}"))

    assert told(fault) == (4, 3, "parameters.x")
    assert "sweeper[search]" in fault.message


def test_every_parameter_that_is_wrong_is_told() -> None:
    found = faults_of(with_parameters("  a: 1\n  b: {min: 2, max: 1}\n  c: {foo: 1}"))

    assert [each.line for each in found] == [4, 5, 6]
