"""Holds the checks against a list of all fields: what keeps and what breaks the rules of each.

`tests/data/field_rules.json` names each field of the contract with cases. A case is a spec (or a
body, or an answer of a control plane), and what each side says of the place `at`: fine, warning,
shared (a warning as long as all trials have that value) or error.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sweeper.wire.answers import AnswerModel, Error, HttpResponse, SubmissionError, Training
from sweeper.wire.checking import check_creation, check_spec
from sweeper.wire.issues import Issue, Severity, Side
from sweeper.wire.rules.view import Terms, TolerationReading
from tests.wire.contract import field_names

FIELDS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "field_rules.json").read_text()
)
ANSWERS: Mapping[str, type[AnswerModel]] = {
    model.__name__: model for model in (Training, Error, SubmissionError, HttpResponse)
}
SENT = [one for one in FIELDS if "answer" not in one["cases"][0]]
ANSWERED = [one for one in FIELDS if "answer" in one["cases"][0]]


def test_every_field_of_the_contract_has_its_cases() -> None:
    named = [one["field"] for one in FIELDS]

    assert sorted(named) == sorted(field_names())


@pytest.mark.parametrize("one", SENT, ids=lambda one: one["field"])
def test_every_field_has_a_case_that_keeps_and_one_that_breaks(one: dict[str, Any]) -> None:
    verdicts = {(case["client"], case["server"]) for case in one["cases"]}

    assert ("fine", "fine") in verdicts
    assert ("error", "error") in verdicts


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("one", SENT, ids=lambda one: one["field"])
def test_each_side_judges_a_field_as_the_list_says(one: dict[str, Any], side: Side) -> None:
    wrong = [
        (case, found)
        for case in one["cases"]
        if (found := _verdict(_issues(case, side), case["at"])) != case[side.value]
    ]

    assert wrong == []


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("one", SENT, ids=lambda one: one["field"])
def test_what_keeps_a_rule_is_accepted_as_a_whole(one: dict[str, Any], side: Side) -> None:
    refused = [
        case
        for case in one["cases"]
        if "error" not in {case["client"], case["server"]}
        if any(issue.severity is Severity.ERROR for issue in _issues(case, side))
    ]

    assert refused == []


@pytest.mark.parametrize("one", ANSWERED, ids=lambda one: one["field"])
def test_an_answer_is_held_to_its_fields(one: dict[str, Any]) -> None:
    wrong = [case for case in one["cases"] if _is_answer(case) is not case["valid"]]

    assert wrong == []
    assert {case["valid"] for case in one["cases"]} == {True, False}


def _issues(case: Mapping[str, Any], side: Side) -> list[Issue]:
    terms = _terms(case.get("terms", {}), side)
    if "body" not in case:
        return check_spec({"image": "x", **case["spec"]}, terms)
    spec = {} if case.get("bare") else {"spec": {"image": "x"}}
    return check_creation({**spec, **case["body"]}, terms)


def _terms(given: Mapping[str, Any], side: Side) -> Terms:
    """Return the terms of a case: what is privileged is allowed unless it says otherwise."""
    read = {"api_version": tuple, "tolerations": TolerationReading}
    named = {key: read.get(key, bool)(value) for key, value in given.items()}
    return Terms(**{"side": side, "allow_privileged": True, **named})


def _verdict(issues: list[Issue], at: str) -> str:
    there = [issue for issue in issues if issue.field == at]
    if any(issue.severity is Severity.ERROR for issue in there):
        return "error"
    if any(issue.shared for issue in there):
        return "shared"
    return "warning" if there else "fine"


def _is_answer(case: Mapping[str, Any]) -> bool:
    try:
        ANSWERS[case["answer"]].model_validate_json(json.dumps(case["value"]))
    except ValidationError:
        return False
    return True
