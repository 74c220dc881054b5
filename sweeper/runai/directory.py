"""From the names that people use for projects and clusters to the ids that the API wants."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sweeper.domain.values import JsonValue
from sweeper.errors import ForbiddenError, SettingsError, UnsupportedError
from sweeper.runai.answers import show
from sweeper.runai.calls import Call, MakeCall
from sweeper.runai.listing import PAGE_SIZE, Page, read_pages
from sweeper.runai.operations import Operation
from sweeper.runai.reading import Named, read_clusters, read_projects

PROJECTS = "/api/v1/org-unit/projects"
CLUSTERS = "/api/v1/clusters"

_MAX_NAMES = 5
# A filter has no escapes; other names are looked for among all.
_FILTERABLE = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedProject:
    """A project's id and the cluster it belongs to, None where the control plane keeps silent."""

    project_id: str
    cluster_id: str | None


class Directory:
    """Looks names up once, at the start; an id is taken where a name is expected, too."""

    def __init__(self, make: MakeCall) -> None:
        self._make = make

    async def resolve_project(self, name: str, cluster_id: str | None = None) -> ResolvedProject:
        """Return the one project called `name`, on `cluster_id` where that is given.

        Raises:
            SettingsError: there is none, or more than one, or looking is not allowed.
            ControlPlaneError: the control plane could not be asked.
        """
        chosen = _choose(await self._projects(name), name, cluster_id)
        if not chosen:
            everything = await self._projects(None)
            chosen = _choose(everything, name, cluster_id)
            if not chosen:
                raise _nothing_called("project", name, everything)
        if len(chosen) > 1:
            clusters = _some(one.cluster_id or "?" for one in chosen)
            raise SettingsError(
                f"project {name!r} exists {len(chosen)} times, on the clusters {clusters}: "
                "name the cluster too, or give the project's id"
            )
        return ResolvedProject(project_id=chosen[0].id, cluster_id=chosen[0].cluster_id)

    async def resolve_cluster(self, name: str) -> str:
        """Return the id of the one cluster called `name`; raises as `resolve_project` does."""
        call = Call(operation=Operation.CLUSTERS, method="GET", path=CLUSTERS)
        clusters = read_clusters(await self._ask(call, "cluster"))
        chosen = _choose(clusters, name, None)
        if not chosen:
            raise _nothing_called("cluster", name, clusters)
        if len(chosen) > 1:
            ids = _some(one.id for one in chosen)
            raise SettingsError(
                f"cluster {name!r} exists {len(chosen)} times: give one id of {ids}"
            )
        return chosen[0].id

    async def _projects(self, name: str | None) -> Sequence[Named]:
        """Return all projects, or those called `name` where a filter can say that."""
        params = {"limit": str(PAGE_SIZE)}
        if name is not None and _FILTERABLE.fullmatch(name):
            params["filterBy"] = f"name=={name}"

        async def fetch(offset: int) -> Page[Named]:
            call = Call(
                operation=Operation.PROJECTS,
                method="GET",
                path=PROJECTS,
                params={**params, "offset": str(offset)},
            )
            return read_projects(await self._ask(call, "project"))

        return await read_pages(fetch, lambda one: one.id)

    async def _ask(self, call: Call, what: str) -> JsonValue:
        """Make a call that an account may well not be allowed to make."""
        try:
            return await self._make(call)
        except (ForbiddenError, UnsupportedError) as error:
            raise SettingsError(
                f"a {what} cannot be looked up by name here ({error}): give the {what}'s id"
            ) from error


def _choose(found: Sequence[Named], name: str, cluster_id: str | None) -> Sequence[Named]:
    """Return those called `name`; else the one whose id that is."""
    there = [one for one in found if cluster_id is None or one.cluster_id in {None, cluster_id}]
    return [one for one in there if one.name == name] or [one for one in there if one.id == name]


def _nothing_called(what: str, name: str, known: Sequence[Named]) -> SettingsError:
    """Return the error that names what comes near."""
    names = [one.name for one in known]
    near = difflib.get_close_matches(name, names, n=_MAX_NAMES, cutoff=0.5)
    if near:
        return SettingsError(f"there is no {what} {name!r}; near it: {_some(near)}")
    if names:
        return SettingsError(f"there is no {what} {name!r}; there are: {_some(sorted(names))}")
    return SettingsError(f"there is no {what} {name!r}; this account sees no {what} at all")


def _some(words: Iterable[str]) -> str:
    """Return the first few words as a list for people."""
    listed = list(words)
    more = ", …" if len(listed) > _MAX_NAMES else ""
    return ", ".join(show(word) for word in listed[:_MAX_NAMES]) + more
