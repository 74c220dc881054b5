"""`sweeper local serve`: a control plane of its own, for whoever speaks to Run:ai."""

import asyncio
import logging
import re
import shlex
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from socket import socket
from typing import TypeVar

from sweeper.bootstrap.addresses import HostPort, reachable, read_address
from sweeper.bootstrap.console import console_lines
from sweeper.bootstrap.environment import child_environment
from sweeper.bootstrap.folders import private_folder, socket_directory, state_dir
from sweeper.bootstrap.signals import StopSignals, exit_code, stop_signals
from sweeper.clock import utc_now
from sweeper.errors import SettingsError, StoreLockedError, SweepOwnedError
from sweeper.local.configuration import LocalConfiguration, read_configuration
from sweeper.local.credentials import PlaneCredentials, kept_credentials
from sweeper.local.faults.drawing import Faults
from sweeper.local.faults.extending import with_faults
from sweeper.local.faults.plan import FaultPlan, read_plan
from sweeper.local.keeping import open_keeper
from sweeper.local.plane import (
    STATE_FILE,
    LocalPlane,
    LocalPlaneOptions,
    open_local_plane,
    open_rehearsal,
)
from sweeper.local.running import own_thread
from sweeper.local.simulation import SimulationPlan, read_simulation
from sweeper.local.site import Extend, unextended
from sweeper.local.switches import STANDARD, Switches, TokenEndpoints
from sweeper.settings import Settings
from sweeper.web.serving import bind_tcp, serve
from sweeper.wire.amounts import parse_amount

_log = logging.getLogger(__name__)

DEFAULT_LISTEN = "127.0.0.1:8080"
DEFAULT_NAME = "default"

T = TypeVar("T")

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LOOPBACK = ("127.", "::1", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What `sweeper local serve` was asked for, beside the settings.

    `directory` is the state folder; without it, it is that of `name` below the state directory.
    `cores` and `memory` are amounts as Kubernetes writes them. `client_id`, `client_secret` and
    `token` stand before those that the state folder keeps. `is_simulated` starts no processes;
    `simulation` is the file with its plan. `config` is the file with nodes, projects and quotas.
    `faults` is the file with a fault plan, and with
    `has_admin` it can be changed by calls.
    """

    settings: Settings
    listen: str = DEFAULT_LISTEN
    name: str = DEFAULT_NAME
    directory: Path | None = None
    gpus: int | None = None
    cores: str | None = None
    memory: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    is_simulated: bool = False
    simulation: Path | None = None
    config: Path | None = None
    faults: Path | None = None
    has_admin: bool = False
    switches: Switches = STANDARD


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A control plane that serves: where it is, and what its clients put into their environment."""

    environment: Mapping[str, str] = field(repr=False)
    project_id: str
    cluster_id: str
    directory: str

    @property
    def base_url(self) -> str:
        """Its address."""
        return self.environment["RUNAI_BASE_URL"]

    def lines(self) -> Sequence[str]:
        """Return what to print for people, fit to be read by a shell."""
        exports = [f"export {key}={shlex.quote(text)}" for key, text in self.environment.items()]
        return [f"# A Run:ai API at {self.base_url}, its state in {self.directory}", *exports]

    def document(self) -> Mapping[str, object]:
        """Return what to print for machines."""
        return {
            "base_url": self.base_url,
            "environment": dict(self.environment),
            "project_id": self.project_id,
            "cluster_id": self.cluster_id,
            "state_dir": self.directory,
        }


def switches_of(
    *,
    has_conflicts: bool,
    refuses_illegal: bool,
    has_wider_api: bool,
    token_calls: str,
    token_seconds: int,
    hold_names: bool,
) -> Switches:
    """Return the switches that the flags stand for."""
    return Switches(
        duplicate_status=409 if has_conflicts else 400,
        illegal_status=400 if refuses_illegal else None,
        has_wider_api=has_wider_api,
        token_endpoints=TokenEndpoints(token_calls),
        token_seconds=token_seconds,
        hold_names=hold_names,
    )


async def serve_local(options: ServeOptions, announce: Callable[[Serving], None]) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code. `announce` is called once it answers.

    Processes of trainings go on afterwards, and the next server of the same state adopts them.

    Raises:
        UserError: an option, a file or the address cannot be used.
        SweepOwnedError: another server has this state folder.
        StoreError: the state cannot be used.
    """
    signals, stop = StopSignals(), asyncio.Event()
    with stop_signals(signals), console_lines(options.settings):
        signals.on_stop(stop.set)
        async with _serving(options) as serving:
            announce(serving)
            await stop.wait()
            _log.info("stopping; what runs goes on, and the next start takes it up")
    return 0 if signals.received is None else exit_code(signals.received)


@asynccontextmanager
async def _serving(options: ServeOptions) -> AsyncIterator[Serving]:
    directory = _directory(options)
    plane_options, opener = _plane_options(options, directory), _opener(options)
    address = read_address(options.listen, "--listen")
    bound = await _bound(address, directory)
    try:
        async with _owned(opener(plane_options), directory) as plane, serve(plane.app, [bound]):
            if not address.host.startswith(_LOOPBACK):
                _log.warning("Whoever reaches %s and has the credentials runs programs", address)
            try:
                yield _told(plane, bound, directory)
            finally:
                # Whoever follows a log must not keep the server from its end.
                plane.closing.set()
    finally:
        bound.close()


def _directory(options: ServeOptions) -> Path:
    if options.directory is not None:
        return options.directory.expanduser().absolute()
    if not _NAME.fullmatch(options.name):
        raise SettingsError(
            f"--name: {options.name[:80]!r}: use lower-case letters, digits and -, 63 at most"
        )
    return state_dir(options.settings) / "planes" / options.name


def _plane_options(options: ServeOptions, directory: Path) -> LocalPlaneOptions:
    sockets = socket_directory(options.settings)
    return LocalPlaneOptions(
        directory=directory,
        socket_directory=sockets,
        gpu_lock_directory=sockets / "gpus",
        gpus=options.gpus,
        environment=child_environment(),
        cores=_amount(options.cores, "--cpus"),
        memory=_amount(options.memory, "--memory"),
        working_directory=Path.cwd(),
        credentials=_credentials(options, directory),
        switches=options.switches,
        extend=_extend(options),
        configuration=_configuration(options),
    )


def _configuration(options: ServeOptions) -> LocalConfiguration:
    if options.config is None:
        return LocalConfiguration()
    found = read_configuration(options.config)
    if found.nodes and (options.cores is not None or options.memory is not None):
        raise SettingsError(
            f"--cpus and --memory are of one node, and {options.config} has nodes: "
            "write cores and memory of each node there"
        )
    return found


def _credentials(options: ServeOptions, directory: Path) -> PlaneCredentials:
    # What stands in the way is told by whoever keeps the credentials there.
    with suppress(OSError):
        private_folder(directory)
    kept = kept_credentials(directory)
    return replace(
        kept,
        client_id=options.client_id or kept.client_id,
        client_secret=options.client_secret or kept.client_secret,
        token=options.token,
    )


def _extend(options: ServeOptions) -> Extend:
    if options.faults is None and not options.has_admin:
        return unextended
    plan = read_plan(options.faults) if options.faults is not None else FaultPlan()
    return with_faults(Faults(plan, now=utc_now), now=utc_now, admin=options.has_admin)


def _opener(
    options: ServeOptions,
) -> Callable[[LocalPlaneOptions], AbstractAsyncContextManager[LocalPlane]]:
    """Return what opens the control plane on the runtime asked for."""
    if not options.is_simulated:
        if options.simulation is not None:
            raise SettingsError("--simulation: means something with --runtime simulated only")
        return partial(open_local_plane, now=utc_now, on_change=_ignore)
    plan = SimulationPlan() if options.simulation is None else read_simulation(options.simulation)
    return partial(open_rehearsal, plan, now=utc_now, on_change=_ignore)


def _ignore() -> None:
    """Do nothing: clients ask for news themselves."""


def _amount(text: str | None, flag: str) -> Fraction | None:
    if text is None:
        return None
    try:
        return parse_amount(text)
    except ValueError as error:
        raise SettingsError(f"{flag}: {error}") from error


async def _bound(address: HostPort, directory: Path) -> socket:
    try:
        return bind_tcp(address.host, address.port)
    except OSError as error:
        # Who starts the same server twice hears that, and not that an address is taken.
        async with (
            own_thread() as run,
            _owned(open_keeper(directory / STATE_FILE, run, {}), directory),
        ):
            raise SettingsError(
                f"--listen: {address} cannot be had ({error.strerror or error}): name another "
                "one, or port 0 for any"
            ) from error


@asynccontextmanager
async def _owned(opening: AbstractAsyncContextManager[T], directory: Path) -> AsyncIterator[T]:
    """Open something of the state folder; say whose it is when another process has it."""
    try:
        async with opening as opened:
            yield opened
    except StoreLockedError as error:
        raise SweepOwnedError(
            f"another control plane has {directory} open: end it, or give this one another "
            "--name or --state-dir"
        ) from error


def _told(plane: LocalPlane, bound: socket, directory: Path) -> Serving:
    host, port = bound.getsockname()[:2]
    address = HostPort(host=reachable(str(host)), port=int(port))
    return Serving(
        environment={
            "RUNAI_BASE_URL": f"http://{address}",
            "RUNAI_CLIENT_ID": plane.client_id,
            "RUNAI_CLIENT_SECRET": plane.client_secret,
            "RUNAI_PROJECT": plane.project,
        },
        project_id=plane.project_id,
        cluster_id=plane.cluster_id,
        directory=str(directory),
    )
