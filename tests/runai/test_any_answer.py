"""Whatever is answered to whichever call, nothing but our own errors comes of it."""

import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweeper.errors import ControlPlaneError, SettingsError
from sweeper.ports import TrainingRequest
from sweeper.runai.client import RunaiControlPlane
from sweeper.runai.directory import Directory
from tests.runai.scripted import Script, token_answer, wired

pytestmark = pytest.mark.looptime

ID = "123e4567-e89b-12d3-a456-426614174000"
CREATION = TrainingRequest(name="swp-1", project_id="7", cluster_id=str(uuid4()), spec={})

_KEYS = st.sampled_from(
    [
        *("workloadId", "id", "uuid", "name", "actualPhase", "phase", "desiredPhase", "projectId"),
        *("createdAt", "deletedAt", "phaseUpdatedAt", "spec", "labels", "value", "type", "next"),
        *("workloads", "events", "projects", "clusters", "clusterId", "reason", "message"),
        *("code", "details", "complianceIssues", "field", "access_token", "expires_in"),
    ]
)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from([ID, "swp-1", "7", "Running", "Suspended", "2026-03-01T12:00:00Z", "\ud7ff"])
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=12,
)
_BODIES = (
    _JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=30)
    | st.sampled_from([b"", b"<html>503</html>", b"null", b"[" * 2000, b"1" * 5000, b'"\\ud800"'])
)
_STATUSES = st.sampled_from([200, 202, 204, 301, 400, 401, 403, 404, 405, 409, 422, 429, 500, 503])

Ask: TypeAlias = Callable[[RunaiControlPlane, Directory], Awaitable[Any]]

CALLS: dict[str, Ask] = {
    "create": lambda plane, _: plane.create(CREATION),
    "get": lambda plane, _: plane.get(ID),
    "list": lambda plane, _: plane.observe("swp-"),
    "find": lambda plane, _: plane.find("swp-1"),
    "find deleted": lambda plane, _: plane.find("swp-1", deleted=True),
    "events": lambda plane, _: plane.events(ID),
    "suspend": lambda plane, _: plane.suspend(ID),
    "resume": lambda plane, _: plane.resume(ID),
    "delete": lambda plane, _: plane.delete(ID),
    "project": lambda _, directory: directory.resolve_project("vision"),
    "cluster": lambda _, directory: directory.resolve_cluster("west"),
}


async def _made(ask: Ask, answer: httpx.Response, tokens: httpx.Response) -> None:
    """Make a call of a control plane that answers everything with `answer`."""

    def anything(request: httpx.Request) -> httpx.Response:
        given = tokens if request.url.path.endswith("/token") else answer
        return httpx.Response(given.status_code, content=given.content)

    async with wired(httpx.MockTransport(anything)) as there:

        async def make(call: Any) -> Any:
            return await there.calls.make(call, there.auth)

        with contextlib.suppress(ControlPlaneError, SettingsError):
            await ask(RunaiControlPlane(make, "7"), Directory(make))


@pytest.mark.parametrize("name", CALLS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(status=_STATUSES, body=_BODIES)
async def test_no_answer_breaks_a_call(name: str, status: int, body: bytes) -> None:
    await _made(CALLS[name], httpx.Response(status, content=body), token_answer())


@settings(max_examples=60, deadline=None)
@given(status=_STATUSES, body=_BODIES)
async def test_no_answer_breaks_the_token_call(status: int, body: bytes) -> None:
    answer = httpx.Response(200, json={"workloads": []})

    await _made(CALLS["list"], answer, httpx.Response(status, content=body))


async def test_an_answer_without_end_is_cut_off() -> None:
    body = b'{"workloads": [' + b" " * (17 * 1024 * 1024) + b"]}"

    script = Script().on("/api/v2/token", token_answer())
    script.on("/api/v1/workloads", httpx.Response(200, content=body))
    async with wired(script) as there:

        async def make(call: Any) -> Any:
            return await there.calls.make(call, there.auth)

        with pytest.raises(ControlPlaneError, match="too large"):
            await RunaiControlPlane(make, "7").observe("swp-")
