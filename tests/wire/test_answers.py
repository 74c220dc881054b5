import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.wire.answers import (
    AnswerModel,
    Error,
    HttpResponse,
    SubmissionError,
    Training,
    refusal,
)
from sweeper.wire.issues import Issue, Severity
from tests.wire.contract import as_json_schema, flat, schemas

RECORDED = Path(__file__).parents[1] / "data" / "runai"
UUID = "71f69d83-ba66-4822-adf5-55ce55efd210"
NOW = datetime(2026, 3, 1, 12, 0, 3, 517_999, tzinfo=UTC)


def a_training(**fields: Any) -> Training:
    given: dict[str, Any] = {
        "name": "demo",
        "requested_name": "demo",
        "workload_id": UUID,
        "project_id": "4501004",
        "cluster_id": UUID,
        "created_by": "sweeper",
        "created_at": NOW,
        "desired_phase": DesiredPhase.RUNNING,
    }
    return Training(**given | fields)


def _holds(answer: object, name: str) -> bool:
    return jsonschema.Draft202012Validator(as_json_schema(flat(schemas()[name]))).is_valid(answer)


def test_what_is_not_known_is_left_out() -> None:
    answer = a_training().answer()

    assert answer.keys() == {
        *("name", "requestedName", "workloadId", "projectId", "clusterId"),
        *("createdBy", "createdAt", "desiredPhase"),
    }
    assert _holds(answer, "Training1")


def test_a_spec_is_answered_as_it_was_sent() -> None:
    spec = {"args": None, "labels": [None, {"name": "a"}], "unknown": {"b": None}, "tty": False}

    assert a_training(spec=spec).answer()["spec"] == spec


def test_a_frozen_spec_is_answered_as_json() -> None:
    spec = MappingProxyType({"labels": (MappingProxyType({"name": "a"}),)})

    answer = a_training(spec=spec).answer()

    assert json.loads(json.dumps(answer))["spec"] == {"labels": [{"name": "a"}]}


def test_times_are_utc_with_milliseconds() -> None:
    east = timezone(timedelta(hours=1))

    answer = a_training(created_at=NOW, deleted_at=NOW.astimezone(east)).answer()

    assert answer["createdAt"] == "2026-03-01T12:00:03.517Z"
    assert answer["deletedAt"] == answer["createdAt"]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        a_training(created_at=NOW.replace(tzinfo=None))


def test_a_phase_is_answered_as_its_word() -> None:
    answer = a_training(actual_phase=Phase.PENDING).answer()

    assert (answer["actualPhase"], type(answer["actualPhase"])) == ("Pending", str)
    assert _holds(answer, "Training1")


@pytest.mark.parametrize(
    ("model", "file"),
    [
        (Training, "training_created"),
        (Training, "training_running"),
        (HttpResponse, "accepted"),
        (SubmissionError, "error_compliance"),
        (Error, "error_forbidden"),
        (Error, "error_unavailable"),
    ],
)
def test_a_recorded_answer_could_be_ours(model: type[AnswerModel], file: str) -> None:
    content = (RECORDED / f"{file}.json").read_text()

    answer = model.model_validate_json(content).answer()

    recorded = json.loads(content)
    assert answer == {key: value for key, value in recorded.items() if value is not None}


def test_an_accepted_call_says_so() -> None:
    assert HttpResponse().answer() == {"code": 202, "message": "Request has been accepted."}


def test_a_refusal_has_one_entry_for_each_field_with_errors() -> None:
    issues = [
        Issue(path=("args",), message="is odd"),
        Issue(path=("args",), message="is long"),
        Issue(path=("ports", 0, "container"), message="is missing"),
        Issue(path=("tty",), message="is slow", severity=Severity.WARNING),
    ]

    answer = refusal(issues).answer()

    assert answer == {
        "code": 400,
        "message": "The request is not valid: args is odd; is long",
        "complianceIssues": [
            {"field": "args", "details": "is odd; is long"},
            {"field": "ports[0].container", "details": "is missing"},
        ],
    }
    assert _holds(answer, "SubmissionError")


def test_a_refusal_of_a_whole_body_names_it() -> None:
    answer = refusal([Issue(path=(), message="is no object")]).answer()

    assert answer["message"] == "The request is not valid: the body is no object"


@pytest.mark.parametrize("code", [99, 600, "400", True])
def test_a_code_is_an_http_status(code: Any) -> None:
    with pytest.raises(ValidationError):
        Error(code=code, message="")


def test_an_answer_shows_no_input_in_its_errors() -> None:
    with pytest.raises(ValidationError) as caught:
        a_training(created_by=["hidden-value"])

    assert "hidden-value" not in str(caught.value)


def test_a_training_shows_nothing_of_its_spec() -> None:
    training = a_training(spec={"environmentVariables": [{"name": "A", "value": "hidden-value"}]})

    assert "hidden-value" not in repr(training)
