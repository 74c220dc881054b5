"""Make a sweep's store again from its file and its trainings, when it is lost or broken."""

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from sweeper.bootstrap.attempts import Attempts, surroundings
from sweeper.bootstrap.folders import SweepFolder, folder_of
from sweeper.bootstrap.owning import owned
from sweeper.bootstrap.planes import LOCAL, Plane, PlaneRequest, open_plane, runs_locally
from sweeper.bootstrap.reading import expand, read_file
from sweeper.bootstrap.searching import has_model
from sweeper.bootstrap.starting import first_record
from sweeper.bootstrap.surveying import Surveyor
from sweeper.clock import utc_now
from sweeper.domain.change import Change, merged
from sweeper.domain.expansion import slug
from sweeper.domain.rebuilding import sweep_ids
from sweeper.domain.record import Event, EventKind, SweepRecord
from sweeper.domain.trial import Observation
from sweeper.errors import SettingsError, StoreError, StoreLockedError, UnsupportedError
from sweeper.ports import ControlPlane
from sweeper.runai.base_url import check_base_url
from sweeper.runai.operations import Observer
from sweeper.settings import Settings
from sweeper.store.sql import SqlStore
from sweeper.sweepfile.reading import SweepFile

OpenPlane: TypeAlias = Callable[[PlaneRequest], AbstractAsyncContextManager[Plane]]

_BATCH = 500
_BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite names the files that belong to one database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildOptions:
    """What `sweeper rebuild` was asked for; `sweep_id` chooses where several are found.

    `name` stands in for the file's own.
    """

    file: Path
    settings: Settings
    sweep_id: str | None = None
    name: str | None = None
    local: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the store will hold; nothing is written yet."""

    folder: SweepFolder
    record: SweepRecord
    changes: Sequence[Change]

    @property
    def states(self) -> Mapping[str, int]:
        """How many trials are in each state."""
        return Counter(change.trial.state.value for change in self.changes)


async def survey(options: RebuildOptions, *, opening: OpenPlane = open_plane) -> Survey:
    """Find out what can be made again, and change nothing but to make the sweep's folder.

    Raises:
        SettingsError: a healthy store is there, or nothing to make one from, or it is not clear
            from which sweep.
        SweepOwnedError: a process holds the store.
    """
    settings = options.settings
    file = read_file(options.file, settings, strict=False, local=options.local, name=options.name)
    is_local = runs_locally(file.spec.training, settings, local=options.local)
    folder = folder_of(settings, file.spec.name)
    await _refuse_healthy(folder, force=options.force)
    folder.create(options.file)
    request = PlaneRequest(
        settings=settings,
        folder=folder,
        template=file.spec.training,
        record=None,
        local=options.local,
        observer=Observer(),
        on_change=lambda: None,
    )
    place = LOCAL if is_local else check_base_url(settings.base_url or "")
    async with opening(request) as plane:
        try:
            return await _surveyed(options, file, folder, plane, place)
        except UnsupportedError as error:
            raise SettingsError(
                f"without a listing, the sweep's trainings cannot be found: {error}"
            ) from error


async def write(found: Survey, now: datetime | None = None) -> Path | None:
    """Write the store anew; return where the old one was put, None where there was none.

    Killed half-way, it leaves the old store or the new one in its place.

    Raises:
        SweepOwnedError: a process holds the store by now.
        SettingsError: a store was made by somebody else meanwhile.
    """
    folder = found.folder
    await _refuse_healthy(folder, force=True)
    part = folder.store.with_name(f"{folder.store.name}.rebuilt")
    _remove(part)
    at = now or utc_now()
    detail = f"from {len(found.changes)} trials"
    rebuilt = Event(at=at, kind=EventKind.SWEEP, outcome="rebuilt", detail=detail)
    try:
        async with SqlStore(part, role="rebuild") as store:
            await store.save_sweep(found.record, [rebuilt])
            for start in range(0, len(found.changes), _BATCH):
                trials, events = merged(found.changes[start : start + _BATCH])
                await store.commit(trials, events)
        return _swap(part, folder.store, at)
    finally:
        _remove(part)


async def _surveyed(
    options: RebuildOptions, file: SweepFile, folder: SweepFolder, plane: Plane, place: str
) -> Survey:
    expansion = expand(file)
    if has_model(file.spec):
        raise SettingsError(
            f"{options.file}: a model suggested the params of its trials, and only the store that "
            "is lost knew them: there is nothing to rebuild from"
        )
    now = utc_now()
    sweep_id, listed = await _chosen(options, slug(file.spec.name), plane.control_plane)
    fresh = first_record(
        file,
        planned=expansion.planned,
        directory=Path.cwd(),
        control_plane=place,
        now=now,
    )
    record = replace(fresh, id=sweep_id, project_id=plane.project_id, cluster_id=plane.cluster_id)
    attempts = Attempts(
        spec=file.spec,
        around=surroundings(record, folder, is_local=plane.is_local, report_base=None),
        searcher=expansion,
        project_id=plane.project_id,
        cluster_id=plane.cluster_id,
    )
    surveyor = Surveyor(
        plane=plane.control_plane,
        attempts=attempts,
        record=record,
        file=str(options.file),
        now=now,
    )
    changes = await surveyor.trials(listed)
    if not changes:
        raise SettingsError(_nothing(record.workload_prefix))
    started = min(change.trial.created_at for change in changes)
    return Survey(folder=folder, record=replace(record, created_at=started), changes=changes)


async def _chosen(
    options: RebuildOptions, name: str, plane: ControlPlane
) -> tuple[str, Sequence[Observation]]:
    """Return the id of the sweep, and the trainings that are listed for its name."""
    listed = await plane.observe(f"{name}-")
    ids = sweep_ids(name, [seen.name for seen in listed])
    if options.sweep_id is not None:
        return options.sweep_id, listed
    if len(ids) == 1:
        return next(iter(ids)), listed
    if not ids:
        raise SettingsError(_nothing(f"{name}-"))
    found = ", ".join(f"{one} ({count} trainings)" for one, count in sorted(ids.items()))
    raise SettingsError(f"several sweeps have left trainings here: choose with --sweep-id: {found}")


def _nothing(prefix: str) -> str:
    return (
        f"no training is called {prefix}…: there is nothing to rebuild from; `sweeper run` starts "
        "the sweep anew, or --sweep-id names one of which only deleted trainings are left"
    )


async def _refuse_healthy(folder: SweepFolder, *, force: bool) -> None:
    if not folder.store.exists():
        return
    try:
        async with SqlStore(folder.store, role="rebuild") as store:
            is_healthy = await store.load_sweep() is not None
    except StoreLockedError as error:
        raise owned(folder) from error
    except StoreError:
        return
    if is_healthy and not force:
        raise SettingsError(
            f"the store of sweep {folder.name} is well: `sweeper run` goes on with it; --force "
            "puts it aside all the same"
        )


def _swap(part: Path, store: Path, now: datetime) -> Path | None:
    """Put `part` in the place of the store, at no instant of which nothing is there.

    Without a store, the next start would begin another sweep beside the trainings of this one.
    """
    if not store.exists():
        try:
            os.link(part, store)
        except FileExistsError as error:
            raise SettingsError(f"a store was made at {store} meanwhile: look at it") from error
        return None
    aside = store.with_name(f"{store.name}.broken-{now:%Y%m%dT%H%M%SZ}")
    os.link(store, aside)
    for ending in filter(None, _BESIDE):
        with contextlib.suppress(FileNotFoundError):
            store.with_name(f"{store.name}{ending}").rename(f"{aside}{ending}")
    part.replace(store)
    return aside


def _remove(database: Path) -> None:
    for ending in _BESIDE:
        database.with_name(f"{database.name}{ending}").unlink(missing_ok=True)
