import pytest

from tests.sweepfile.files import faults_of, read, spec_of, the_fault, told

SPACE = """method: grid
program: train.py
parameters:
  optimizer: {values: [sgd, adam]}
  momentum: {values: [0.5, 0.9]}
  width: {min: 1, max: 4}
"""


def test_conditions_and_constraints_decide_which_trials_there_are() -> None:
    text = SPACE + "when: {momentum: {optimizer: sgd}}\nconstraints: [width * momentum < 3]\n"

    rules = spec_of(text).rules

    assert rules.when == {"momentum": {"optimizer": ("sgd",)}}
    assert [one.text for one in rules.constraints] == ["width * momentum < 3"]


def test_a_condition_may_name_several_values_and_several_parameters() -> None:
    text = SPACE + "when: {momentum: {optimizer: [sgd, adam], width: 2}}\n"

    assert spec_of(text).rules.when == {"momentum": {"optimizer": ("sgd", "adam"), "width": (2,)}}


@pytest.mark.parametrize(
    ("written", "path", "words"),
    [
        ("when: {momentun: {optimizer: sgd}}", "when.momentun", "did you mean momentum"),
        ("when: {momentum: {optimiser: sgd}}", "when.momentum.optimiser", "did you mean optimizer"),
        ("when: {momentum: {optimizer: sdg}}", "when.momentum.optimizer", "is never"),
        ("when: {momentum: {}}", "when.momentum", "depends on nothing"),
        ("when: {momentum: {width: 1}, width: {momentum: 0.5}}", "when.momentum", "on itself"),
        ("when: {momentum: {momentum: 0.5}}", "when.momentum", "on itself"),
        ("when: [momentum]", "when", "no mapping"),
        ("constraints: [width <]", "constraints[0]", "cannot be read"),
        ("constraints: ['1 < 2']", "constraints[0]", "no parameter"),
        ("constraints: [widht < 3]", "constraints[0]", "did you mean width"),
        ("constraints: ['open(width) < 3']", "constraints[0]", "holds a call"),
        ("constraints: [width > 9]", "constraints", "no point of the grid meets them"),
        ("constraints: width < 3", "constraints", "is no list"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused_at_their_place(
    written: str, path: str, words: str
) -> None:
    fault = the_fault(SPACE + written + "\n")

    assert words in fault.message
    assert told(fault)[2] == path


def test_a_random_search_that_meets_no_constraint_is_refused() -> None:
    fault = the_fault(SPACE.replace("grid", "random") + "constraints: [width > 9]\n")

    assert "none of 1,000 draws met the constraints" in fault.message


def test_a_grid_too_large_for_rules_is_refused() -> None:
    fault = the_fault(SPACE.replace("max: 4", "max: 400000") + "constraints: [width > 9]\n")

    assert "1,600,000 combinations are too many" in fault.message


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ("{optimizer: adam, momentum: 0.5, width: 1}", "does not exist beside these values"),
        ("{optimizer: sgd, width: 1}", "says nothing of momentum"),
        ("{optimizer: sgd, momentum: 0.9, width: 4}", "does not meet width * momentum < 3"),
    ],
)
def test_a_point_that_breaks_the_rules_is_refused(point: str, words: str) -> None:
    rules = "when: {momentum: {optimizer: sgd}}\nconstraints: [width * momentum < 3]\n"

    assert words in faults_of(SPACE + rules + f"points: [{point}]\n")[0].message


def test_a_point_leaves_out_what_does_not_exist_beside_it() -> None:
    rules = "when: {momentum: {optimizer: sgd}}\npoints: [{optimizer: adam, width: 1}]\n"

    assert spec_of(SPACE + rules).points == ({"optimizer": "adam", "width": 1},)


@pytest.mark.parametrize("command", ["'--m=${momentum}'", "'${momentum}'"])
def test_a_placeholder_of_what_may_not_exist_is_refused(command: str) -> None:
    text = SPACE + f"when: {{momentum: {{optimizer: sgd}}}}\ncommand: [python, {command}]\n"

    assert "does not exist in every trial" in the_fault(text).message


def test_arguments_leave_out_what_does_not_exist() -> None:
    found = read(SPACE + "when: {momentum: {optimizer: sgd}}\ncommand: [python, '${args}']\n")

    assert found.warnings == ()
