"""A control plane in this process, served to daemons in processes of their own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from starlette.types import ASGIApp

from sweeper.clock import utc_now
from sweeper.local.places import Project
from sweeper.local.plane import LocalPlaneOptions, open_plane_on
from sweeper.local.simulated import SimulatedRuntime
from sweeper.web.serving import bind_tcp, serve
from tests.acceptance.daemons import Place


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A place whose environment leads to a control plane, and that one's secret."""

    place: Place
    secret: str


def unchanged(app: ASGIApp) -> ASGIApp:
    return app


@asynccontextmanager
async def remote(
    place: Place,
    runtime: SimulatedRuntime,
    around: Callable[[ASGIApp], ASGIApp] = unchanged,
) -> AsyncIterator[Remote]:
    """Serve a control plane on loopback, with `around` around its application."""
    options = LocalPlaneOptions(
        directory=place.folder / "plane",
        socket_directory=place.runtime,
        gpu_lock_directory=place.runtime / "gpus",
        environment={},
    )
    (place.folder / "plane").mkdir()
    with bind_tcp("127.0.0.1", 0) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with (
            open_plane_on(runtime, options, now=utc_now, on_change=lambda: None) as plane,
            serve(around(plane.app), [bound]),
        ):
            variables = {
                "RUNAI_BASE_URL": url,
                "RUNAI_CLIENT_ID": plane.client_id,
                "RUNAI_CLIENT_SECRET": plane.client_secret,
                "RUNAI_PROJECT": Project().name,
            }
            yield Remote(place=replace(place, variables=variables), secret=plane.client_secret)
