"""Take what trainings report: over HTTP while the daemon runs, from their files otherwise."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from sweeper.bootstrap.faces import ReportSocket
from sweeper.bootstrap.folders import SweepFolder
from sweeper.domain.trial import Trial
from sweeper.objectives.files import ReportFiles
from sweeper.objectives.parsing import parse_report
from sweeper.objectives.tokens import is_token
from sweeper.ports import Now, Store
from sweeper.telemetry.metrics import Metrics
from sweeper.web.reports import Heard, reports_app
from sweeper.web.serving import serve

ReadReports = Callable[[Sequence[Trial]], Awaitable[None]]


@asynccontextmanager
async def reports_face(
    socket: ReportSocket,
    store: Store,
    key: bytes,
    *,
    now: Now,
    heard: Heard,
) -> AsyncIterator[None]:
    """Serve the address to which trainings report, each with a token of its own."""
    app = reports_app(
        store, parse=parse_report, is_token=partial(is_token, key), now=now, heard=heard
    )
    async with serve(app, [socket.bound]):
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReader:
    """Reads the report files of local trials into the store."""

    store: Store
    files: ReportFiles
    metrics: Metrics
    sweep: str

    @classmethod
    def of(cls, folder: SweepFolder, store: Store, metrics: Metrics) -> "ReportReader":
        """Return the reader of a sweep's files."""
        files = ReportFiles(folder.report_file)
        return cls(store=store, files=files, metrics=metrics, sweep=folder.name)

    async def read(self, trials: Sequence[Trial]) -> None:
        """Bring everything that the files of `trials` hold into the store."""
        for trial in trials:
            while reports := await asyncio.to_thread(self.files.read, trial.number):
                new = await self.store.add_reports(reports)
                self.metrics.heard_reports(self.sweep, reports, new)


async def read_nothing(_trials: Sequence[Trial]) -> None:
    """Read no report files: trainings on Run:ai have none that we could see."""
