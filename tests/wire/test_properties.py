"""What holds of every body, drawn from the contract or from nowhere."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from sweeper.wire.checking import MAX_ISSUES, check_creation, check_spec
from sweeper.wire.issues import Issue, Severity, Side, in_order
from sweeper.wire.reading import read_json
from sweeper.wire.rules.view import Terms
from sweeper.wire.training import TrainingCreationRequest
from tests.wire.contract import as_json_schema, flat, schemas
from tests.wire.generating import LIGHT, json_values, near_bodies, valid_bodies

CLIENT, SERVER = Terms(side=Side.CLIENT), Terms(side=Side.SERVER)
CONTRACT = jsonschema.Draft202012Validator(
    as_json_schema(flat(schemas()["TrainingCreationRequest"]))
)


def _errors(body: Any, terms: Terms) -> list[Issue]:
    return [one for one in check_creation(body, terms) if one.severity is Severity.ERROR]


@pytest.mark.parametrize("terms", [CLIENT, SERVER], ids=["client", "server"])
@given(body=json_values())
@LIGHT
def test_any_json_value_has_an_answer(terms: Terms, body: Any) -> None:
    assert _errors(body, terms)
    assert len(check_spec(body, terms)) <= MAX_ISSUES + 1


@pytest.mark.parametrize("terms", [CLIENT, SERVER], ids=["client", "server"])
@given(body=near_bodies())
@LIGHT
def test_issues_are_ordered_by_path_and_read_as_text(terms: Terms, body: Any) -> None:
    issues = check_creation(body, terms)

    paths = [in_order(one.path) for one in issues[:MAX_ISSUES]]
    assert paths == sorted(paths)
    assert all(one.message.isprintable() for one in issues)
    assert check_creation(body, terms) == issues


@given(body=near_bodies())
@LIGHT
def test_who_sends_refuses_all_that_who_receives_would_refuse(body: Any) -> None:
    refused = {one.path for one in _errors(body, SERVER)}

    assert refused <= {one.path for one in _errors(body, CLIENT)}


@given(body=near_bodies())
@LIGHT
def test_what_passes_is_valid_by_the_contract(body: Any) -> None:
    is_accepted = not _errors(body, SERVER)

    assert CONTRACT.is_valid(body) or not is_accepted


@given(body=valid_bodies())
@LIGHT
def test_wire_to_json_to_wire_is_the_identity(body: dict[str, Any]) -> None:
    model = TrainingCreationRequest.model_validate(body)

    sent = json.dumps(model.given()).encode()

    assert read_json(sent) == body
    assert TrainingCreationRequest.model_validate(read_json(sent)) == model
