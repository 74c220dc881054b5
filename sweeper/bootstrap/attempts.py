"""What each attempt at a trial is: its name, what it asks for, and the request that creates it."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

from sweeper.bootstrap.environment import child_environment
from sweeper.bootstrap.folders import SweepFolder, private_folder, write_durably
from sweeper.domain.expansion import Expansion, slug, workload_name
from sweeper.domain.marks import is_ours
from sweeper.domain.planning import Draft
from sweeper.domain.record import SweepRecord
from sweeper.domain.rendering import RenderedTraining, render
from sweeper.domain.surroundings import Surroundings
from sweeper.domain.sweep import SweepSpec
from sweeper.domain.trial import Observation, Trial
from sweeper.domain.values import Params, digest
from sweeper.errors import RenderingError, UnmetRulesError
from sweeper.objectives.tokens import token_for
from sweeper.ports import Searcher, TrainingRequest
from sweeper.wire.completing import completed
from sweeper.wire.gpus import gpus_of

_SECRET_NAME = re.compile("KEY|TOKEN|SECRET|PASS|CREDENTIAL", re.IGNORECASE)

NO_ID = "0" * 10
"""Stands for the random id of a sweep that was never started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Drafts attempts and makes their requests; the same trial and attempt give the same."""

    spec: SweepSpec
    around: Surroundings
    searcher: Searcher
    project_id: str
    cluster_id: str

    def draft(self, number: int, attempt: int, params: Params | None) -> Draft | None:
        """Return what is known of an attempt before it is recorded (`planning.Drafting`)."""
        try:
            point = self.searcher.params(number) if params is None else params
        except UnmetRulesError as error:
            return self._faulty(number, attempt, {}, str(error))
        if point is None:
            return None
        try:
            rendered = self._rendered(number, attempt, point)
        except RenderingError as error:
            return self._faulty(number, attempt, point, str(error))
        return Draft(
            params=point,
            workload_name=rendered.name,
            digest=rendered.digest,
            gpus=gpus_of(rendered.spec),
        )

    def _faulty(self, number: int, attempt: int, point: Params, fault: str) -> Draft:
        name = workload_name(self.around.slug, self.around.sweep_id, number, attempt)
        return Draft(
            params=point, workload_name=name, digest=digest(point), gpus=Fraction(0), fault=fault
        )

    def request(self, trial: Trial) -> TrainingRequest:
        """Return the request that creates the training of the trial's newest attempt."""
        rendered = self._rendered(trial.number, trial.submission.attempt, trial.params)
        return TrainingRequest(
            name=rendered.name,
            project_id=self.project_id,
            cluster_id=self.cluster_id,
            spec=completed(rendered.spec),
            files=rendered.files,
        )

    def is_ours(self, trial: Trial, seen: Observation) -> bool:
        """Return whether a training that was found is that of the trial's newest attempt."""
        rendered = self._rendered(trial.number, trial.submission.attempt, trial.params)
        return is_ours(rendered.name, rendered.labels, seen.name, seen.labels)

    def _rendered(self, number: int, attempt: int, params: Params) -> RenderedTraining:
        return render(self.spec, self.around, number, attempt, params)


def surroundings(
    record: SweepRecord,
    folder: SweepFolder,
    *,
    is_local: bool,
    report_base: str | None,
) -> Surroundings:
    """Return what the trainings of a sweep are rendered from beside its file.

    `report_base` is the address that their reports go to, without a trial's number (None: they
    cannot report).
    """
    token = partial(token_for, folder.report_key())
    return Surroundings(
        sweep_id=record.id,
        sweep_name=record.name,
        slug=record.slug,
        is_local=is_local,
        directory=record.directory,
        files=str(folder.local / "params"),
        environment=child_environment(),
        report_url=None if report_base is None else f"{report_base}/reports/{{}}".format,
        report_token=None if report_base is None else token,
        report_file=(lambda number: str(folder.report_file(number))) if is_local else None,
    )


async def write_files(files: Mapping[str, str]) -> None:
    """Write texts by absolute path, each replaced as a whole, readable by the owner only.

    They are on the disk when this returns, for after a loss of power the local control plane starts
    again what it has on record.
    """
    if files:
        await asyncio.to_thread(_write, files)


def _write(files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = Path(name)
        private_folder(path.parent)
        write_durably(path, text)


def first_argv(spec: SweepSpec, expansion: Expansion) -> tuple[str, ...] | None:
    """Return the command line of the first trial on this machine, None when there is none."""
    params = expansion.params(0)
    return render(spec, rehearsal(spec, is_local=True), 0, 1, params).argv


def rehearsal(spec: SweepSpec, *, is_local: bool) -> Surroundings:
    """Return surroundings for showing what would be sent, of a sweep not started yet."""
    return Surroundings(
        sweep_id=NO_ID,
        sweep_name=spec.name,
        slug=slug(spec.name),
        is_local=is_local,
        directory=str(Path.cwd()),
        files="/params",
        environment={name: _shown(name, text) for name, text in child_environment().items()},
    )


def _shown(name: str, text: str) -> str:
    """Return a variable as a plan may show it on a terminal."""
    return "***" if _SECRET_NAME.search(name) else text
