"""What the HTTP face of a local control plane stands on, and what may be put on top of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp

from sweeper.local.engine import Engine
from sweeper.local.keeping import Keeper
from sweeper.local.places import CLUSTER_ID, Project
from sweeper.local.switches import STANDARD, Switches
from sweeper.local.tokens import Tokens
from sweeper.local.trainings import LocalTraining


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One open control plane: what it does, what it knows, and who may come in.

    `log_file` tells where the output of a training goes. `closing` is set when the control plane
    is about to end, so that answers without an end are ended.
    """

    engine: Engine
    keeper: Keeper
    tokens: Tokens
    projects: Sequence[Project]
    log_file: Callable[[LocalTraining], Path]
    cluster_id: str = CLUSTER_ID
    switches: Switches = STANDARD
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def project(self, project_id: str) -> Project | None:
        """Return the project of that id."""
        return next((one for one in self.projects if one.id == project_id), None)

    def project_of(self, training: LocalTraining) -> Project:
        """Return a training's project, also one that this control plane does not have any more."""
        project = self.project(training.project_id)
        return project or Project(id=training.project_id, name=training.project_id)


def _bare(app: ASGIApp) -> ASGIApp:
    return app


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What is put on top of a control plane.

    `middleware` stands before everything, the first outermost; `routes` are asked before all
    others, and need a token like these; each of `work` runs as long as the control plane is open,
    and its error is the control plane's. `wrap` puts something around the whole application, to
    which what it returns to the server belongs.
    """

    middleware: Sequence[Middleware] = ()
    routes: Sequence[Route] = ()
    work: Sequence[Callable[[], Awaitable[None]]] = ()
    wrap: Callable[[ASGIApp], ASGIApp] = _bare


Extend: TypeAlias = Callable[[Site], Extension]
"""Makes the extension of a control plane that is about to open."""


def unextended(site: Site) -> Extension:  # noqa: ARG001 - the same for every site
    """Put nothing on top."""
    return Extension()


def together(*extends: Extend) -> Extend:
    """Return the extension that puts each of these on top, the first outermost."""

    def extend(site: Site) -> Extension:
        made = [one(site) for one in extends]

        def wrap(app: ASGIApp) -> ASGIApp:
            for one in reversed(made):
                app = one.wrap(app)
            return app

        return Extension(
            middleware=[each for one in made for each in one.middleware],
            routes=[each for one in made for each in one.routes],
            work=[each for one in made for each in one.work],
            wrap=wrap,
        )

    return extend
