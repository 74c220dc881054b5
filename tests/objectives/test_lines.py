import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.objectives.lines import (
    Names,
    Values,
    csv_line,
    json_document,
    json_line,
    pattern_line,
)
from sweeper.objectives.parsing import VALUES_BOUND

NAMES = Names(objective="loss", step="step")

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def test_a_line_that_is_an_object_holds_its_numbers() -> None:
    found = json_line(NAMES)('  {"loss": 0.5, "acc": 1, "step": 3}')

    assert found == Values({"loss": 0.5, "acc": 1.0}, 3)


@pytest.mark.parametrize(
    "line", ["epoch 3", "{", "{}", "[1]", "3", '{"loss": {"train": 1}}', '{"step": 3}', "", "{" * 9]
)
def test_a_line_without_numbers_holds_nothing(line: str) -> None:
    assert json_line(NAMES)(line) is None


@pytest.mark.parametrize("value", ["NaN", "Infinity", '"0.5"', "true", "null", "[1]", "1" * 400])
def test_what_is_no_finite_number_does_not_cost_the_others(value: str) -> None:
    found = json_line(NAMES)(f'{{"loss": {value}, "acc": 0.5}}')

    assert found == Values({"acc": 0.5}, None)


@pytest.mark.parametrize("step", ["1.5", '"3"', "NaN", "1e30", "true"])
def test_a_step_that_is_no_whole_number_is_none(step: str) -> None:
    found = json_line(NAMES)(f'{{"loss": 1, "step": {step}}}')

    assert found == Values({"loss": 1.0}, None)


def test_the_objective_is_kept_among_very_many_values() -> None:
    many = {f"v{number}": number for number in range(2 * VALUES_BOUND)}

    found = json_line(NAMES)(json.dumps({**many, "loss": 0.5}))

    assert found is not None
    assert found.numbers["loss"] == 0.5
    assert len(found.numbers) == VALUES_BOUND


def test_the_value_group_of_a_pattern_is_the_objective_whatever_its_name() -> None:
    names = Names(objective="val/loss", step="epoch")
    read = pattern_line(r"epoch (?P<epoch>\d+): loss (?P<value>\S+) acc (?P<acc>\S+)", names)

    assert read("[12:00] epoch 3: loss 1e-3 acc 0.5") == Values({"val/loss": 0.001, "acc": 0.5}, 3)


def test_a_group_of_the_objectives_own_name_will_do() -> None:
    assert pattern_line(r"(?P<loss>\S+)$", NAMES)("loss 0.5") == Values({"loss": 0.5}, None)


@pytest.mark.parametrize("line", ["loss nan", "loss inf", "loss none", "no such thing"])
def test_a_pattern_that_finds_no_finite_number_finds_nothing(line: str) -> None:
    assert pattern_line(r"loss (?P<value>\S+)", NAMES)(line) is None


def test_a_row_has_the_names_of_its_header() -> None:
    read = csv_line('step, loss ,"a,b"', ",", NAMES)

    assert read("3,0.5,7") == Values({"loss": 0.5, "a,b": 7.0}, 3)


def test_a_short_row_and_an_empty_cell_cost_only_what_is_missing() -> None:
    read = csv_line("step,loss,acc", ",", NAMES)

    assert read("3,0.5") == Values({"loss": 0.5}, 3)
    assert read("4,,0.5") == Values({"acc": 0.5}, 4)


def test_a_header_that_comes_again_is_no_row() -> None:
    assert csv_line("1,2", ",", NAMES)("1,2") is None


def test_a_file_may_hold_one_object_or_a_list_of_them() -> None:
    one, other = Values({"loss": 1.0}, 1), Values({"loss": 0.5}, 2)

    assert json_document('{"loss": 1, "step": 1}', NAMES) == [one]
    listed = json_document('[{"loss": 1, "step": 1}, 7, {"loss": 0.5, "step": 2}]', NAMES)
    assert listed == [one, other]


def test_half_of_a_json_file_holds_nothing() -> None:
    assert json_document('[{"loss": 1}, {"lo', NAMES) == []


@given(TEXTS, TEXTS)
def test_no_text_breaks_a_reader(header: str, line: str) -> None:
    for read in (
        json_line(NAMES),
        csv_line(header, ",", NAMES),
        pattern_line("(?P<value>.*)", NAMES),
    ):
        found = read(line)

        assert found is None or found.numbers
