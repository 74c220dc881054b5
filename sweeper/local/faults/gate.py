"""Where faults befall answers: an ASGI application around the control plane's own."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from sweeper.clock import pause
from sweeper.local.faults.answering import Answer, Line, error_answer, held, refused, restated
from sweeper.local.faults.drawing import OF_ONE, Faults
from sweeper.local.faults.operations import Operation, operation_of
from sweeper.local.faults.plan import (
    Amnesia,
    Cut,
    Drop,
    Duplicates,
    Empty,
    Fault,
    Garbage,
    Latency,
    ListingLag,
    PhaseWord,
    Slow,
    Status,
)
from sweeper.local.faults.views import Body, with_phase, without_forgotten, without_new
from sweeper.ports import Now

_GARBAGE: Final = b'{"workloadId": "5eeb\xff\x00 upstream'
_BREAKING: Final = (Status, Drop, Cut, Empty, Garbage, Slow)


class FaultGate:
    """Passes requests on to `app`, and lets befall them what is due."""

    def __init__(self, app: ASGIApp, faults: Faults, *, now: Now) -> None:
        self._app = app
        self._faults = faults
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        """Serve one request; anything returned but None has the server close the connection."""
        operation = None
        if scope["type"] == "http":
            operation = operation_of(scope["method"], scope["path"])
        if operation is None:
            await self._app(scope, receive, send)
            return None
        line = Line(scope, send)
        if operation is not Operation.TOKEN and self._is_refused(scope):
            message = "The bearer token is missing, wrong or expired: get a new one"
            return await line.answer(error_answer(401, message))
        due = self._faults.due(operation)
        broken = await self._before(due)
        if broken is not None:
            return await self._break(line, broken, Answer(status=503))
        if operation in OF_ONE and self._is_forgotten(scope, due):
            return await line.answer(error_answer(404, "Resource id not found"))
        if not _needs_whole(operation, due):
            await self._app(scope, receive, send)
            return None
        answer = await held(self._app, scope, receive)
        return await self._after(line, operation, due, answer)

    def _is_refused(self, scope: Scope) -> bool:
        token = Headers(scope=scope).get("authorization", "").partition(" ")[2].strip()
        if not token:
            return False
        if self._faults.is_dead(token):
            return True
        self._faults.saw_token(token)
        return False

    async def _before(self, due: Sequence[Fault]) -> Fault | None:
        """Wait as long as is due; return what keeps the request from its effect."""
        await self._wait(due, "before")
        breaking = (fault for fault in due if isinstance(fault, Status | Drop))
        return next((fault for fault in breaking if fault.when == "before"), None)

    async def _wait(self, due: Sequence[Fault], when: str) -> None:
        for fault in due:
            if isinstance(fault, Latency) and fault.when == when:
                await pause(self._faults.latency(fault))

    def _is_forgotten(self, scope: Scope, due: Sequence[Fault]) -> bool:
        """Whether the training that the request is about is not known any more."""
        parts = scope["path"].split("/")
        workload_id = parts[5] if parts[4] == "trainings" else parts[4]
        return any(
            self._faults.is_forgotten(fault, workload_id)
            for fault in due
            if isinstance(fault, Amnesia)
        )

    async def _after(
        self, line: Line, operation: Operation, due: Sequence[Fault], answer: Answer
    ) -> object:
        if operation is Operation.TOKEN and answer.is_good:
            body = json.loads(answer.body)
            token = body.get("accessToken") or body.get("access_token")
            if isinstance(token, str):
                self._faults.gave_token(token)
        await self._wait(due, "after")
        for fault in due:
            answer = self._seen_through(fault, answer)
        breaking = next((fault for fault in due if isinstance(fault, _BREAKING)), None)
        return await self._break(line, breaking, answer)

    def _seen_through(self, fault: Fault, answer: Answer) -> Answer:
        """Return the answer as a fault has it look."""
        if isinstance(fault, Duplicates):
            return restated(answer, fault.status)
        if not answer.is_good or not isinstance(fault, PhaseWord | ListingLag | Amnesia):
            return answer
        body: Body = json.loads(answer.body)
        match fault:
            case PhaseWord():
                body = with_phase(body, fault.word)
            case ListingLag():
                body = without_new(body, timedelta(seconds=fault.seconds), self._now())
            case Amnesia():
                amnesia = fault
                body = without_forgotten(body, lambda one: self._faults.is_forgotten(amnesia, one))
        return answer.with_body(json.dumps(body, ensure_ascii=False).encode())

    async def _break(self, line: Line, fault: Fault | None, answer: Answer) -> object:
        """Send the answer as the fault lets it come through."""
        match fault:
            case Status():
                return await line.answer(refused(fault))
            case Drop():
                return line.drop()
            case Cut():
                return await line.cut(answer)
            case Slow():
                return await line.answer(answer, seconds=fault.seconds)
            case Empty() if answer.is_good:
                return await line.answer(answer.with_body(b""))
            case Garbage() if answer.is_good:
                return await line.answer(answer.with_body(_GARBAGE))
            case _:
                return await line.answer(answer)


def _needs_whole(operation: Operation, due: Sequence[Fault]) -> bool:
    """Whether the answer is to be held until it is whole; a log that is followed never is."""
    if operation is Operation.LOGS:
        return False
    if operation is Operation.TOKEN:
        return True
    return any(not (isinstance(fault, Latency) and fault.when == "before") for fault in due)
