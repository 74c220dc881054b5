"""Any spec that the contract's schemas allow or forbid, from the client to the server and back."""

import random
from collections.abc import Mapping
from typing import Any

import jsonschema
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sweeper.ports import TrainingRequest
from sweeper.wire.checking import check_creation, check_spec
from sweeper.wire.issues import Issue, Severity, Side, dotted
from sweeper.wire.rules.view import Terms
from tests.local.planes import TRAININGS, creation, world
from tests.local.test_client import connected
from tests.wire.contract import as_json_schema, flat, schemas
from tests.wire.generating import valid_bodies

CLIENT = Terms(side=Side.CLIENT, allow_privileged=True)
CONTRACT = jsonschema.Draft202012Validator(
    as_json_schema(flat(schemas()["TrainingCreationRequest"]))
)
PLACE = {key: value for key, value in creation().items() if key in {"projectId", "clusterId"}}

few = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
numbers = st.integers(0, 2**32)


def _errors(issues: list[Issue]) -> list[Issue]:
    return [issue for issue in issues if issue.severity is Severity.ERROR]


def _mended(spec: Any) -> dict[str, Any]:
    """Return a spec without the fields that break a rule; schemas know of none of these."""
    mended = {**(spec if isinstance(spec, Mapping) else {}), "image": "registry.example.com/x:1"}
    for issue in _errors(check_spec(mended, CLIENT)):
        mended.pop(str(issue.path[0]), None)
    assume(not _errors(check_spec(mended, CLIENT)))
    return mended


def _said_by_the_schema(body: Any) -> set[str]:
    """Return the fields that a body has wrong by the contract's schema, in the server's words."""
    fields = set()
    for error in CONTRACT.iter_errors(body):
        path = [*error.absolute_path]
        if error.validator == "required":
            path.append(error.message.split("'")[1])
        fields.add(dotted(tuple(path[1:] if path[:1] == ["spec"] else path)))
    return fields


@given(body=valid_bodies(), number=numbers)
@few
async def test_a_valid_spec_comes_back_as_it_was_sent(
    tmp_path_factory: Any, body: Mapping[str, Any], number: int
) -> None:
    spec = _mended(body.get("spec"))
    here = world(tmp_path_factory.mktemp("plane"))
    async with connected(here) as (_, plane, client):
        created = await plane.create(
            TrainingRequest(
                name=f"t-{number}",
                project_id=PLACE["projectId"],
                cluster_id=PLACE["clusterId"],
                spec=spec,
            )
        )
        got = await client.http.get(f"{TRAININGS}/{created.workload_id}")

    assert got.json()["spec"] == spec


@given(body=valid_bodies(), number=numbers)
@few
async def test_an_invalid_body_is_refused_by_both_with_the_field_named(
    tmp_path_factory: Any, body: dict[str, Any], number: int
) -> None:
    spoilt = _spoilt({**body, **PLACE, "name": "a-training"}, random.Random(number))
    wrong = _said_by_the_schema(spoilt)

    async with world(tmp_path_factory.mktemp("plane")).open() as client:
        answer = await client.http.post(TRAININGS, json=spoilt)

    named = {issue["field"] for issue in answer.json()["complianceIssues"]}
    assert answer.status_code == 400
    assert wrong
    assert wrong <= named <= {issue.field for issue in _errors(check_creation(spoilt, CLIENT))}


def _spoilt(value: Any, rng: random.Random) -> Any:
    """Return a valid body with a value of the wrong type at one place in it."""
    key = rng.choice([key for key, member in value.items() if member is not None])
    member = value[key]
    if isinstance(member, dict) and any(one is not None for one in member.values()):
        return {**value, key: _spoilt(member, rng)}
    return {**value, key: 7 if isinstance(member, str) else "seven"}
