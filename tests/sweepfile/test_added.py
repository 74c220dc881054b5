from collections.abc import Mapping

import pytest

from sweeper.domain.values import JsonValue
from sweeper.errors import SettingsError
from sweeper.sweepfile.added import GivenPoint, read_added

_DEFINITION: Mapping[str, JsonValue] = {
    "method": "grid",
    "name": "demo",
    "parameters": {
        "lr": {"min": 0.001, "max": 1.0},
        "optimizer": {"values": ["adam", "sgd"]},
        "epochs": {"value": 3},
    },
    "limits": {"max_trials": 1},
}


def _lines(*texts: str) -> list[GivenPoint]:
    return [
        GivenPoint(text=text, source="more.jsonl", line=number)
        for number, text in enumerate(texts, start=5)
    ]


def test_a_point_is_completed_by_what_has_one_value() -> None:
    added = read_added(_DEFINITION, _lines('{"lr": 1e-1, "optimizer": "sgd"}'))

    assert added.points == ({"epochs": 3, "lr": 0.1, "optimizer": "sgd"},)
    assert added.warnings == ()


def test_a_value_outside_of_the_space_is_tried_and_said() -> None:
    added = read_added(_DEFINITION, _lines('{"lr": 5, "optimizer": "adam"}'))

    assert added.points[0]["lr"] == 5
    (warning,) = added.warnings
    assert warning.startswith("more.jsonl:5:8: lr: 5 is not among what the parameter allows")


def test_all_faults_are_told_with_the_places_where_they_stand() -> None:
    with pytest.raises(SettingsError) as caught:
        read_added(_DEFINITION, _lines('{"lr": 0.1, "optimiser": "adam"}', '{"optimizer": "adam"}'))

    lines = str(caught.value).splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        "more.jsonl:5:1:",
        "more.jsonl:5:13:",
        "more.jsonl:6:1:",
    ]
    assert "did you mean optimizer?" in lines[1]
    assert "says nothing of lr" in lines[2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"lr": 0.1', "more.jsonl:5:11: is no JSON"),
        ("[1]", "more.jsonl:5:1: [1] is no point"),
        ('{"lr": NaN, "optimizer": "adam"}', "NaN is no finite number"),
        ('{"lr": 1, "lr": 2, "optimizer": "adam"}', "more.jsonl:5:11: lr: "),
        ("{" * 3000, "is no JSON"),
    ],
    ids=["cut", "list", "nan", "twice", "deep"],
)
def test_what_is_no_point_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_added(_DEFINITION, _lines(text))

    assert words in str(caught.value)


def test_characters_that_json_escapes_stay_what_they_are() -> None:
    definition: Mapping[str, JsonValue] = {"parameters": {"word": {"values": ["\U0001f600"]}}}

    added = read_added(definition, _lines('{"word": "\\ud83d\\ude00"}'))

    assert added.points == ({"word": "\U0001f600"},)
    assert added.warnings == ()


def test_a_point_of_the_command_line_is_called_by_its_flag() -> None:
    given = [GivenPoint(text='{"lr": 0.1}', source="--params")]

    with pytest.raises(SettingsError, match=r"^--params: says nothing of optimizer"):
        read_added(_DEFINITION, given)


def test_a_parameter_that_does_not_exist_beside_another_is_no_part_of_a_point() -> None:
    definition = {**_DEFINITION, "when": {"lr": {"optimizer": "sgd"}}}

    added = read_added(definition, _lines('{"optimizer": "adam"}'))

    assert added.points == ({"epochs": 3, "optimizer": "adam"},)
