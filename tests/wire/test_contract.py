"""Holds the models against the contract, schema by schema and property by property."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.wire.answers import AnswerModel, Error, HttpResponse, SubmissionError, Training
from sweeper.wire.training import TrainingCreationRequest
from tests.wire.contract import flat, leaves, reachable, schemas

ANSWERS: Mapping[str, type[AnswerModel]] = {
    "Training1": Training,
    "SubmissionError": SubmissionError,
    "Error": Error,
    "HttpResponse": HttpResponse,
}

Leaves = dict[str, dict[str, Any]]


def _contract(name: str) -> Leaves:
    return dict(leaves(flat(schemas()[name])))


def _model(model: type[BaseModel]) -> Leaves:
    schema = model.model_json_schema()
    return dict(leaves(flat(schema, schema.get("$defs", {}))))


SENT, SENT_MODEL = _contract("TrainingCreationRequest"), _model(TrainingCreationRequest)


def test_the_contract_holds_no_schema_beyond_what_is_compared() -> None:
    compared = reachable("TrainingCreationRequest", *ANSWERS)

    assert len(compared) == 122
    assert compared == set(schemas())


def test_a_create_has_no_field_too_many_and_none_too_few() -> None:
    assert set(SENT_MODEL) == set(SENT)


@pytest.mark.parametrize("path", sorted(SENT))
def test_a_field_of_a_create_is_as_the_contract_has_it(path: str) -> None:
    assert SENT_MODEL[path] == SENT[path]


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_as_the_contract_has_it(name: str) -> None:
    model = ANSWERS[name]

    assert _told(_model(model)) == _told(_contract(name))


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_always_holds_what_the_contract_requires(name: str) -> None:
    always = {
        field.alias
        for field in ANSWERS[name].model_fields.values()
        if field.is_required() or field.default is not None
    }

    assert flat(schemas()[name])["required"] == always


def test_the_domains_phases_are_the_contracts() -> None:
    assert set(Phase) == set(schemas()["Phase"]["enum"])
    assert set(DesiredPhase) == set(schemas()["WorkloadDesiredPhase"]["enum"])


def _told(found: Leaves) -> Leaves:
    """Return the leaves of an answer but the spec, which goes back as it came.

    A model's None is left out of an answer, so being nullable means nothing there.
    """
    return {
        path: {key: value for key, value in leaf.items() if key in {"type", "enum", "format"}}
        | {key: leaf[key] for key in ("minimum", "maximum", "minLength", "pattern")}
        for path, leaf in found.items()
        if path != "spec" and not path.startswith("spec.")
    }
