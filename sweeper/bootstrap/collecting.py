"""Find the trainings of our sweeps that no row owns, and delete them on a person's word."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sweeper.bootstrap.folders import SweepFolder, all_folders
from sweeper.bootstrap.planes import (
    LOCAL,
    PlaneRequest,
    connected,
    open_plane,
    runai_address,
)
from sweeper.bootstrap.sweeps import find_sweep
from sweeper.bootstrap.verbs import Verbs, open_folder
from sweeper.domain.expansion import slug
from sweeper.domain.orphans import Claim, attempt_of, is_of_sweep, is_other_point, is_owned
from sweeper.domain.phase import Phase
from sweeper.domain.trial import Observation
from sweeper.errors import (
    ControlPlaneError,
    SettingsError,
    SweeperError,
    TrainingGoneError,
    UnsupportedError,
    UserError,
)
from sweeper.ports import ControlPlane
from sweeper.runai.operations import Observer
from sweeper.settings import Settings

JsonObject: TypeAlias = dict[str, Any]
OpenPlane: TypeAlias = Callable[
    [Settings, SweepFolder, JsonObject], AbstractAsyncContextManager[ControlPlane]
]
"""Opens the control plane of a kept sweep, given its record as the verbs' API shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A training that is ours by its exact name and labels, and that no row owns."""

    workload_id: str
    name: str
    trial: int
    attempt: int
    phase: str
    created_at: str | None
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What was found for one sweep; `trouble` says why it could not be looked through in full.

    `skipped` says why there was nothing to look for.
    """

    folder: SweepFolder
    orphans: tuple[Orphan, ...] = ()
    trouble: str = ""
    skipped: str = ""

    @property
    def left(self) -> int:
        """How many orphans are still there."""
        return sum(orphan.outcome not in {"deleted", "gone"} for orphan in self.orphans)


@asynccontextmanager
async def kept_plane(
    settings: Settings, folder: SweepFolder, sweep: JsonObject
) -> AsyncIterator[ControlPlane]:
    """Open the control plane that a sweep was started on.

    Raises:
        SettingsError: the settings lead to another one.
    """
    if sweep["control_plane"] == LOCAL:
        request = PlaneRequest(
            settings=settings,
            folder=folder,
            template=None,
            record=None,
            local=True,
            observer=Observer(),
            on_change=lambda: None,
        )
        async with open_plane(request) as plane:
            yield plane.control_plane
        return
    if settings.base_url is None:
        raise SettingsError(f"RUNAI_BASE_URL is not set: set it to {sweep['control_plane']}")
    address = runai_address(settings)
    if address.base_url != sweep["control_plane"]:
        raise SettingsError(
            f"the sweep runs on {sweep['control_plane']}, and RUNAI_BASE_URL is "
            f"{address.base_url}: set it to the former"
        )
    async with connected(address, Observer()) as connection:
        yield connection.control_plane(sweep["project_id"])


async def find_orphans(
    settings: Settings, sweep: str | None, *, open_kept: OpenPlane = kept_plane
) -> Sequence[Collection]:
    """Look through one sweep, or all that were started here, and change nothing.

    Raises:
        SettingsError: there is no such sweep.
    """
    folders = list(all_folders(settings)) if sweep is None else [find_sweep(settings, sweep)]
    return [await _looked_through(settings, folder, open_kept) for folder in folders]


async def delete_orphans(
    settings: Settings, found: Collection, *, open_kept: OpenPlane = kept_plane
) -> Collection:
    """Delete the orphans that were found, each only if it still is one; return what became of them.

    Orphans of `found` that could not be deleted keep their place, with the reason as outcome.
    """
    if not found.orphans:
        return found
    try:
        async with (
            open_folder(found.folder, "gc") as verbs,
            _gathering(settings, verbs, open_kept) as gathering,
        ):
            done = [await gathering.delete(orphan) for orphan in found.orphans]
    except SweeperError as error:
        return replace(found, trouble=str(error))
    return replace(found, orphans=tuple(done))


async def _looked_through(
    settings: Settings, folder: SweepFolder, open_kept: OpenPlane
) -> Collection:
    try:
        async with open_folder(folder, "gc") as verbs:
            sweep = (await verbs.client.sweep())["sweep"]
            skipped = _needless(sweep, has_daemon=verbs.has_daemon)
            if skipped:
                return Collection(folder=folder, skipped=skipped)
            async with _gathering(settings, verbs, open_kept) as gathering:
                return Collection(folder=folder, orphans=tuple(await gathering.orphans()))
    except UnsupportedError as error:
        trouble = f"without a listing, orphans cannot be found: {error}"
        return Collection(folder=folder, trouble=trouble)
    except SweeperError as error:
        return Collection(folder=folder, trouble=str(error))


def _needless(sweep: JsonObject, *, has_daemon: bool) -> str:
    """Return why a sweep can have no orphan that is ours to find, "" if it can."""
    if sweep["control_plane"] != LOCAL:
        return "" if sweep["project_id"] else "it never got as far as creating a training"
    return "its daemon holds the control plane of this machine" if has_daemon else ""


@asynccontextmanager
async def _gathering(
    settings: Settings, verbs: Verbs, open_kept: OpenPlane
) -> AsyncIterator["_Gathering"]:
    sweep = (await verbs.client.sweep())["sweep"]
    async with open_kept(settings, verbs.folder, sweep) as plane:
        yield _Gathering(
            verbs=verbs,
            plane=plane,
            sweep_id=sweep["id"],
            prefix=f"{slug(sweep['name'])}-{sweep['id']}-",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gathering:
    """One sweep's rows and its control plane, side by side."""

    verbs: Verbs
    plane: ControlPlane
    sweep_id: str
    prefix: str

    async def orphans(self) -> list[Orphan]:
        """Return the orphans; rows are read after the listing, so no fresh training is one."""
        found = []
        for listed in await self.plane.observe(self.prefix):
            orphan = await self._judged(listed)
            if orphan is not None:
                found.append(orphan)
        return found

    async def delete(self, orphan: Orphan) -> Orphan:
        """Delete an orphan if it still is one."""
        try:
            seen = await self.plane.get(orphan.workload_id)
            if await self._judged(seen) is None:
                return replace(orphan, outcome="it belongs to a trial by now, or is being deleted")
            await self.plane.delete(orphan.workload_id)
        except TrainingGoneError:
            return replace(orphan, outcome="gone")
        except ControlPlaneError as error:
            return replace(orphan, outcome=str(error))
        return replace(orphan, outcome="deleted")

    async def _judged(self, listed: Observation) -> Orphan | None:
        place = attempt_of(self.prefix, listed.name)
        if place is None or listed.phase is Phase.DELETING:
            return None
        trial, attempt = place
        claims = await self._claims(trial)
        if is_owned(listed, attempt, claims):
            return None
        try:
            seen = await self.plane.get(listed.workload_id)
        except TrainingGoneError:
            return None
        is_ours = is_of_sweep(self.prefix, self.sweep_id, seen.name, seen.labels)
        if not is_ours or seen.name != listed.name or is_other_point(seen.labels, attempt, claims):
            return None
        return Orphan(
            workload_id=seen.workload_id,
            name=seen.name,
            trial=trial,
            attempt=attempt,
            phase=seen.phase.value,
            created_at=None if seen.created_at is None else seen.created_at.isoformat(),
        )

    async def _claims(self, trial: int) -> Sequence[Claim]:
        try:
            view = await self.verbs.client.trial(trial)
        except UserError:
            return ()
        return [
            Claim(
                attempt=row["attempt"],
                workload_id=row["workload_id"],
                digest=row["params_digest"],
                is_open=row["ended_at"] is None,
            )
            for row in view["submissions"]
        ]
