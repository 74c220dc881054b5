"""Take what trainings report: over HTTP while the daemon runs, from their files otherwise."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sweeper.bootstrap.faces import ReportSocket
from sweeper.bootstrap.folders import SweepFolder
from sweeper.domain.marks import checkpoint_key
from sweeper.domain.record import Report, SweepRecord
from sweeper.domain.sources import FileSource, StdoutSource
from sweeper.domain.sweep import SweepSpec
from sweeper.domain.templates import dotted_names, fill
from sweeper.domain.trial import Trial
from sweeper.domain.values import JsonValue
from sweeper.errors import RenderingError
from sweeper.objectives.files import ReportFiles
from sweeper.objectives.parsing import parse_report
from sweeper.objectives.tailing import SourceFiles, Tails
from sweeper.objectives.tokens import is_token
from sweeper.ports import Now, Store
from sweeper.telemetry.metrics import Metrics
from sweeper.web.reports import Heard, reports_app
from sweeper.web.serving import serve

_log = logging.getLogger(__name__)

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
    """Reads into the store what local trials report on the side.

    That is what their report files hold and, with `found`, what they print or write elsewhere.
    """

    store: Store
    files: ReportFiles
    metrics: Metrics
    sweep: str
    found: "FoundValues | None" = None

    @classmethod
    def of(
        cls,
        folder: SweepFolder,
        store: Store,
        metrics: Metrics,
        found: "FoundValues | None" = None,
    ) -> "ReportReader":
        """Return the reader of a sweep's files."""
        files = ReportFiles(folder.report_file)
        return cls(store=store, files=files, metrics=metrics, sweep=folder.name, found=found)

    async def read(self, trials: Sequence[Trial]) -> None:
        """Bring everything that the files of `trials` hold into the store."""
        for trial in trials:
            await self._drain(partial(self.files.read, trial.number))
            if self.found is not None:
                await self._drain(partial(self.found.read, trial))

    async def _drain(self, read: Callable[[], Sequence[Report]]) -> None:
        while reports := await asyncio.to_thread(read):
            new = await self.store.add_reports(reports)
            self.metrics.heard_reports(self.sweep, reports, new)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundValues:
    """Finds the values of local trials in what they print or write, as the sweep file says.

    Trials run in the record's directory, or in the one that their training names below it.
    """

    spec: SweepSpec
    record: SweepRecord
    source: StdoutSource | FileSource
    files: SourceFiles
    folder: SweepFolder

    @classmethod
    def of(
        cls, spec: SweepSpec, record: SweepRecord, folder: SweepFolder, now: Now
    ) -> "FoundValues | None":
        """Return what finds a sweep's values, None where trials report them by themselves."""
        if spec.source is None or spec.objective is None:
            return None
        tails = Tails(source=spec.source, objective=spec.objective.name, now=now)
        return cls(
            spec=spec,
            record=record,
            source=spec.source,
            files=SourceFiles(tails),
            folder=folder,
        )

    def read(self, trial: Trial) -> Sequence[Report]:
        """Return the next reports of a trial, none once all that is there was read."""
        try:
            path = self._path(trial)
        except RenderingError as error:
            # A parameter that only some trials have may be missing in the path of this one.
            _log.debug("trial %d has no file: %s", trial.number, error)
            return ()
        return self.files.read(trial.number, path, ended=not trial.holds_slot)

    def _path(self, trial: Trial) -> Path:
        submission, record = trial.submission, self.record
        if isinstance(self.source, StdoutSource):
            return self.folder.log_file(submission.workload_name)
        training = self.spec.training
        place = None if training is None else training.spec.get("workingDir")
        written: dict[str, JsonValue] = {
            "path": self.source.path,
            "workingDir": place if place is not None else "",
        }
        fixed: dict[str, JsonValue] = {
            "sweep": self.spec.name,
            "trial": trial.number,
            "attempt": submission.attempt,
            "checkpoint_key": checkpoint_key(record.slug, record.id, trial.number),
        }
        filled = fill(written, fixed | dotted_names(trial.params), expanded=False)
        return Path(record.directory) / str(filled["workingDir"]) / str(filled["path"])


async def read_nothing(_trials: Sequence[Trial]) -> None:
    """Read no report files: trainings on Run:ai have none that we could see."""
