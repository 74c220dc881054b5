"""Open the control plane that a sweep runs on: Run:ai's, or the embedded local one.

Both are reached by the same client; the local one through an ASGI transport instead of a socket.
"""

import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, repeat
from pathlib import Path

import httpx

from sweeper.bootstrap.capabilities import load_capabilities
from sweeper.bootstrap.environment import child_environment
from sweeper.bootstrap.folders import SweepFolder, socket_directory
from sweeper.bootstrap.secret_files import require_private
from sweeper.clock import pause, utc_now
from sweeper.domain.record import SweepRecord
from sweeper.domain.sweep import TrainingTemplate
from sweeper.errors import AuthError, SettingsError, TransientError
from sweeper.local.plane import LocalPlane, LocalPlaneOptions, open_local_plane
from sweeper.ports import ControlPlane
from sweeper.runai.base_url import check_base_url
from sweeper.runai.capabilities import Capabilities
from sweeper.runai.opening import Address, Connection, open_runai
from sweeper.runai.operations import Observer
from sweeper.runai.tokens import Credentials, SecretFile, TokenVersion
from sweeper.settings import Settings

_log = logging.getLogger(__name__)

LOCAL = "local"
LOCAL_URL = "http://sweeper.local"

_START_PATIENCE = (2.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """An open control plane and where on it the sweep's trainings go.

    `name` is "local" or the base URL. `quarantine` is how long a create that was left open may
    still take effect there.
    """

    name: str
    control_plane: ControlPlane
    project_id: str
    cluster_id: str
    quarantine: timedelta
    is_local: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneRequest:
    """What decides which control plane is opened, and how."""

    settings: Settings
    folder: SweepFolder
    template: TrainingTemplate | None
    record: SweepRecord | None
    local: bool
    observer: Observer
    on_change: Callable[[], None]


def runs_locally(template: TrainingTemplate | None, settings: Settings, *, local: bool) -> bool:
    """Return whether a sweep runs on this machine: without `training` always, else with --local.

    Raises:
        SettingsError: it wants Run:ai and the settings do not say where that is.
    """
    if template is None or local:
        return True
    if settings.base_url is None:
        raise SettingsError(
            "the sweep has a `training` section, and RUNAI_BASE_URL is not set: set it to run on "
            "Run:ai, or give --local to run on this machine"
        )
    return False


@asynccontextmanager
async def open_plane(request: PlaneRequest) -> AsyncIterator[Plane]:
    """Open the control plane of a sweep; closed again, it leaves the trainings alone.

    Raises:
        SettingsError: address, credentials, project or cluster cannot be used.
    """
    opened = (
        _open_local(request)
        if runs_locally(request.template, request.settings, local=request.local)
        else _open_runai(request)
    )
    async with opened as plane:
        yield plane


@asynccontextmanager
async def _open_local(request: PlaneRequest) -> AsyncIterator[Plane]:
    options = local_options(request.settings, request.folder.local)
    async with (
        open_local_plane(options, now=utc_now, on_change=request.on_change) as local,
        connected(local_address(local), request.observer) as connection,
    ):
        yield Plane(
            name=LOCAL,
            control_plane=connection.control_plane(local.project_id),
            project_id=local.project_id,
            cluster_id=local.cluster_id,
            # It dies with this process, so no create of an earlier one can still arrive.
            quarantine=timedelta(0),
            is_local=True,
        )


@asynccontextmanager
async def _open_runai(request: PlaneRequest) -> AsyncIterator[Plane]:
    settings = request.settings
    address = runai_address(settings)
    known = load_capabilities(settings, address.base_url)
    async with connected(address, request.observer) as connection:
        project_id, cluster_id = await _place(connection, request)
        yield Plane(
            name=address.base_url,
            control_plane=connection.control_plane(project_id),
            project_id=project_id,
            cluster_id=cluster_id,
            quarantine=_quarantine(settings, known),
            is_local=False,
        )


def local_options(settings: Settings, directory: Path) -> LocalPlaneOptions:
    """Return how an embedded control plane is opened that keeps its things in `directory`."""
    return LocalPlaneOptions(
        directory=directory,
        socket_directory=socket_directory(settings),
        gpu_lock_directory=socket_directory(settings) / "gpus",
        gpus=settings.gpus,
        environment=child_environment(),
    )


def local_address(local: LocalPlane) -> Address:
    """Return how an open embedded control plane is reached: without a socket."""
    secret = local.client_secret
    return Address(
        base_url=LOCAL_URL,
        credentials=Credentials(client_id=local.client_id, secret=lambda: secret),
        token_version=TokenVersion.V2,
        transport=httpx.ASGITransport(app=local.app),
    )


def runai_address(settings: Settings) -> Address:
    """Return where Run:ai is and who calls, as the settings and an earlier probe have it.

    Raises:
        SettingsError: address or credentials are missing or cannot be used.
    """
    base_url = check_base_url(settings.base_url or "")
    return Address(
        base_url=base_url,
        credentials=_credentials(settings),
        token_version=TokenVersion(settings.token_version),
        likely_version=load_capabilities(settings, base_url).token_version,
        ca_file=settings.ca_file,
    )


@asynccontextmanager
async def connected(address: Address, observer: Observer) -> AsyncIterator[Connection]:
    """Open a connection with this process's clock and dice."""
    rng = random.Random()
    async with open_runai(address, now=utc_now, rng=rng, observer=observer) as connection:
        yield connection


def _quarantine(settings: Settings, known: Capabilities) -> timedelta:
    """Return how long a create that was left open may still take effect; an order is an order."""
    if "quarantine" in settings.model_fields_set:
        return timedelta(seconds=settings.quarantine)
    return timedelta(seconds=known.quarantine(settings.quarantine))


def _credentials(settings: Settings) -> Credentials:
    if settings.client_id is None:
        raise SettingsError("RUNAI_CLIENT_ID is not set: the id of a service account or access key")
    if settings.client_secret_file is not None:
        secret = SecretFile(
            require_private(settings.client_secret_file, "RUNAI_CLIENT_SECRET_FILE")
        )
        return Credentials(client_id=settings.client_id, secret=secret)
    if settings.client_secret is None:
        raise SettingsError(
            "RUNAI_CLIENT_SECRET is not set (or RUNAI_CLIENT_SECRET_FILE, the path of a file)"
        )
    return Credentials(client_id=settings.client_id, secret=settings.client_secret.get_secret_value)


async def _place(connection: Connection, request: PlaneRequest) -> tuple[str, str]:
    """Return project and cluster ids: those of the sweep's first start, else looked up."""
    record = request.record
    if record is not None and record.project_id and record.cluster_id:
        return record.project_id, record.cluster_id
    for wait in chain(_START_PATIENCE, repeat(_START_PATIENCE[-1])):
        try:
            return await _look_up_place(connection, request)
        except TransientError as error:
            _log.warning("The control plane does not answer yet: %s", error)
            await pause(max(wait, error.retry_after or 0))
        except AuthError as error:
            raise SettingsError(f"the control plane refuses the credentials: {error}") from error
    raise AssertionError("repeat never ends")


async def _look_up_place(connection: Connection, request: PlaneRequest) -> tuple[str, str]:
    template, settings = request.template, request.settings
    cluster_id = template.cluster_id if template else None
    cluster = (template.cluster if template else None) or settings.cluster
    if cluster_id is None and cluster is not None:
        cluster_id = await connection.directory.resolve_cluster(cluster)
    project_id = template.project_id if template else None
    if project_id is not None and cluster_id is not None:
        return project_id, cluster_id
    project = project_id or (template.project if template else None) or settings.project
    if project is None:
        raise SettingsError(
            "no project is named: set training.project in the sweep file, or RUNAI_PROJECT"
        )
    found = await connection.directory.resolve_project(project, cluster_id)
    cluster_id = cluster_id or found.cluster_id
    if cluster_id is None:
        raise SettingsError(
            f"project {project} does not tell its cluster: set training.cluster, or RUNAI_CLUSTER"
        )
    return found.project_id, cluster_id
