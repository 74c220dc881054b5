"""Probe a control plane, Run:ai's or an embedded one, and write down how it behaves."""

import asyncio
import base64
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from sweeper.bootstrap.capabilities import load_capabilities, save_capabilities
from sweeper.bootstrap.console import console_lines
from sweeper.bootstrap.planes import LOCAL, connected, local_address, local_options, runai_address
from sweeper.bootstrap.signals import StopSignals, exit_code, stop_signals
from sweeper.clock import utc_now
from sweeper.errors import SettingsError
from sweeper.local.plane import open_local_plane
from sweeper.runai.capabilities import Capabilities
from sweeper.runai.findings import Finding, Heard
from sweeper.runai.opening import Address
from sweeper.runai.probe import Probe
from sweeper.runai.probing import ProbeOrder
from sweeper.settings import Settings

JsonObject: TypeAlias = dict[str, Any]
Say: TypeAlias = Callable[[str], None]

WELL, UNWELL = 0, 1

IMAGE = "busybox"
"""What the training of a probe runs where nothing else is said: `sleep` is all it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOptions:
    """What `sweeper probe` was asked for; project and cluster by name or id, None not given."""

    settings: Settings
    local: bool = False
    project: str | None = None
    cluster: str | None = None
    image: str = IMAGE
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """How a probe ended: the exit code, and all that was found, for machines and for people."""

    code: int
    found: JsonObject
    closing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A control plane to be probed, and the project on it."""

    address: Address
    project: str
    cluster: str | None
    is_local: bool


async def probe_plane(options: ProbeOptions, say: Say) -> ProbeReport:
    """Probe the control plane that the settings name; `say` is given a line for each step.

    SIGINT and SIGTERM end it early, and even then what was made is taken away.

    Raises:
        SettingsError: address, credentials or project are missing or cannot be used.
    """
    signals = StopSignals()
    with stop_signals(signals), console_lines(options.settings):
        main = asyncio.current_task()
        if main is not None:
            signals.on_stop(partial(_stop, main, say))
        try:
            async with _target(options) as target:
                return await _probed(target, options, say)
        except asyncio.CancelledError:
            if signals.received is None:
                raise
            code = exit_code(signals.received)
            return ProbeReport(code=code, found={"ok": False}, closing="stopped half-way")


def _stop(main: "asyncio.Task[Any]", say: Say) -> None:
    """End the probe, with everything taken away; a second signal ends it as it is."""
    say("stopping: what was made is taken away first")
    main.cancel()


@asynccontextmanager
async def _target(options: ProbeOptions) -> AsyncIterator[_Target]:
    settings = options.settings
    if options.local:
        async with _local(options) as target:
            yield target
        return
    if settings.base_url is None:
        raise SettingsError(
            "RUNAI_BASE_URL is not set: set it to probe Run:ai, or give --local to probe the "
            "control plane of this machine"
        )
    project = options.project or settings.project
    if project is None:
        raise SettingsError("no project is named: give --project, or set RUNAI_PROJECT")
    yield _Target(
        address=runai_address(settings),
        project=project,
        cluster=options.cluster or settings.cluster,
        is_local=False,
    )


@asynccontextmanager
async def _local(options: ProbeOptions) -> AsyncIterator[_Target]:
    """Open an embedded control plane in a folder of its own, which goes when the probe ends."""
    # Its supervisor ends a moment after its last child, and may be writing still.
    with tempfile.TemporaryDirectory(prefix="sweeper-probe-", ignore_cleanup_errors=True) as folder:
        local_plane = local_options(options.settings, Path(folder))
        async with open_local_plane(local_plane, now=utc_now, on_change=lambda: None) as local:
            yield _Target(
                address=local_address(local),
                project=options.project or local.project_id,
                cluster=options.cluster,
                is_local=True,
            )


async def _probed(target: _Target, options: ProbeOptions, say: Say) -> ProbeReport:
    heard = Heard()
    order = ProbeOrder(
        base_url=target.address.base_url,
        project=target.project,
        cluster=target.cluster,
        image=options.image,
        mark=new_mark(),
        keep=options.keep,
    )
    async with connected(target.address, heard.observer()) as connection:
        probe = Probe(
            connection, order, heard=heard, now=utc_now, tell=lambda one: say(finding_text(one))
        )
        await probe.run()
    file = None if target.is_local else _written(options.settings, order.base_url, probe)
    return ProbeReport(
        code=WELL if probe.is_well else UNWELL,
        found=_found(LOCAL if target.is_local else order.base_url, probe, file),
        closing="\n".join(_closing(probe.findings, target.project, file)),
    )


def new_mark() -> str:
    """Return 60 random bits as text that may stand in a name and in a label."""
    return base64.b32encode(secrets.token_bytes(10)).decode("ascii")[:12].lower()


def finding_text(finding: Finding) -> str:
    """Return the line about one step."""
    return f"{finding.verdict:<8} {finding.step:<13} {finding.words}"


def _written(settings: Settings, base_url: str, probe: Probe) -> Path | None:
    """Write down what was found, keeping what an earlier probe knew; None if it was nothing."""
    if probe.capabilities == Capabilities(probed_at=probe.capabilities.probed_at):
        return None
    known = load_capabilities(settings, base_url)
    return save_capabilities(settings, base_url, known.updated(probe.capabilities))


def _found(name: str, probe: Probe, file: Path | None) -> JsonObject:
    return {
        "control_plane": name,
        "ok": probe.is_well,
        "steps": [
            {"step": one.step, "verdict": one.verdict.value, "message": one.words}
            | ({"remedy": one.remedy} if one.remedy else {})
            for one in probe.findings
        ],
        "permissions_to_ask_for": _permissions(probe.findings),
        "capabilities": probe.capabilities.as_json(),
        "file": None if file is None else str(file),
    }


def _permissions(findings: Sequence[Finding]) -> list[str]:
    return list(dict.fromkeys(one.permission for one in findings if one.permission))


def _closing(findings: Sequence[Finding], project: str, file: Path | None) -> Iterator[str]:
    """Yield what is left to do, and where what was found is written."""
    permissions = _permissions(findings)
    if permissions:
        yield f"Ask an administrator of Run:ai to give this account, on project {project}:"
        yield from (f"  {permission}" for permission in permissions)
    remedies = [one for one in findings if one.remedy]
    if remedies:
        yield "What can be done:"
        yield from (f"  {one.step}: {one.remedy}" for one in remedies)
    if file is not None:
        yield f"Written down for sweeps on this control plane: {file}"
