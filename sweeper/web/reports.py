"""What trainings report to: `POST /reports/<trial>` with the token of that trial."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.domain.record import Report
from sweeper.errors import ReportError
from sweeper.ports import Now, Store
from sweeper.web.answers import EXCEPTION_HANDLERS, JsonAnswer, bounded_body

BODY_BOUND = 64 * 1024

_DIGITS_BOUND = 12


def _unwritten(_reports: Sequence[Report], _new: int) -> None:
    """Tell nobody of reports that were written."""


def _unrefused() -> None:
    """Tell nobody of a report that was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Callbacks for metrics, called in the event loop; they must neither raise nor wait.

    `written(reports, new)` hears of reports that are durable, of which `new` were not known
    before; `refused()` hears of each that was not taken.
    """

    written: Callable[[Sequence[Report], int], None] = _unwritten
    refused: Callable[[], None] = _unrefused


class ParseReport(Protocol):
    """Makes a report of (trial, body, key, time of arrival); raises ReportError."""

    def __call__(self, trial: int, content: bytes, key: str | None, at: datetime, /) -> Report:
        """Return the report."""
        ...


def reports_app(
    store: Store,
    *,
    parse: ParseReport,
    is_token: Callable[[int, str], bool],
    now: Now,
    heard: Heard | None = None,
) -> Starlette:
    """Return the app that takes reports: 202 means that the report is durable.

    `is_token` decides whether a bearer token is that of a trial.
    """
    heard = heard or Heard()
    writer = _Writer(store, heard.written)

    async def take(request: Request) -> Response:
        try:
            return await _take(request, writer, parse, is_token, now)
        except HTTPException:
            heard.refused()
            raise

    return Starlette(
        routes=[Route("/reports/{trial}", take, methods=["POST"])],
        exception_handlers=dict(EXCEPTION_HANDLERS),
    )


async def _take(
    request: Request,
    writer: "_Writer",
    parse: ParseReport,
    is_token: Callable[[int, str], bool],
    now: Now,
) -> Response:
    trial = _trial(request)
    if not is_token(trial, _bearer(request)):
        raise HTTPException(
            401,
            "this needs the trial's own token: Authorization: Bearer $SWEEPER_REPORT_TOKEN",
            {"WWW-Authenticate": "Bearer"},
        )
    content = await bounded_body(request, BODY_BOUND)
    try:
        report = parse(trial, content, request.headers.get("idempotency-key"), now())
    except ReportError as error:
        raise HTTPException(400, str(error)) from error
    if not await writer.write(report):
        raise HTTPException(404, f"trial {trial} is not known here")
    return JsonAnswer({"accepted": True}, status_code=202)


def _trial(request: Request) -> int:
    text: str = request.path_params["trial"]
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS_BOUND):
        raise HTTPException(404, "there is no such trial")
    return int(text)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(slots=True)
class _Batch:
    reports: list[Report] = field(default_factory=list)
    is_complete: bool | None = None


class _Writer:
    """Writes reports that arrive while another write is going on in one transaction."""

    def __init__(self, store: Store, written: Callable[[Sequence[Report], int], None]) -> None:
        self._store = store
        self._written = written
        self._batch = _Batch()
        self._lock = asyncio.Lock()

    async def write(self, report: Report) -> bool:
        """Return, once the report is durable, whether its trial is known.

        Whoever comes first to the lock writes for all that joined the batch meanwhile. If that
        fails, or is cut, the next one writes the batch again: known keys do no harm.
        """
        batch = self._batch
        batch.reports.append(report)
        async with self._lock:
            if batch.is_complete is None:
                if self._batch is batch:
                    self._batch = _Batch()
                added = await self._store.add_reports(batch.reports)
                batch.is_complete = added == len(batch.reports)
                self._written(batch.reports, added)
        return batch.is_complete or await self._store.trial(report.trial) is not None
