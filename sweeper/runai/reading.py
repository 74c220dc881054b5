"""From the JSON of good answers to what the daemon knows; odd members count as missing."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.domain.trial import Observation, TrainingEvent
from sweeper.domain.values import JsonValue
from sweeper.runai.answers import show
from sweeper.runai.classify import error_for, is_uuid, unusable
from sweeper.runai.listing import Page
from sweeper.runai.operations import Operation

_EXIT_CODE = re.compile(r"\bexit(?:ed with)?(?: code| status)?[ :=]+(-?[0-9]{1,3})\b", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A project or a cluster: its name, its id, and the cluster that a project belongs to."""

    id: str
    name: str
    cluster_id: str | None = None


def read_training(operation: Operation, body: JsonValue, name: str) -> Observation:
    """Return what the answer to a create or a get says of its training; `name` is the default.

    Raises:
        ControlPlaneError: there is no id in it; whether that leaves the effect open is decided
            by `operation`.
    """
    found = _observation(_members(body), name)
    if found is None:
        raise error_for(unusable(operation, "names no training"))
    return found


def read_page(body: JsonValue) -> Page[Observation]:
    """Return the trainings on a page of the listing; workloads of other types are left out."""
    members = _members(body)
    items = [one for item in _list(members, "workloads") if (one := _listed(item)) is not None]
    return Page(items=items, following=_following(members))


def read_events(body: JsonValue) -> Sequence[TrainingEvent]:
    """Return the events, newest first; those without a time come last."""
    oldest = datetime.min.replace(tzinfo=UTC)
    events = [_event(_members(item)) for item in _list(_members(body), "events")]
    return sorted(events, key=lambda event: event.at or oldest, reverse=True)


def read_projects(body: JsonValue) -> Page[Named]:
    """Return the projects on a page that have an id and a name."""
    members = _members(body)
    items = list(_named(_list(members, "projects"), "id"))
    return Page(items=items, following=_following(members))


def read_clusters(body: JsonValue) -> Sequence[Named]:
    """Return the clusters that have an id and a name, from either shape of the answer."""
    items = body if isinstance(body, list) else _list(_members(body), "clusters")
    return list(_named(items, "uuid"))


def _observation(members: Mapping[str, JsonValue], name: str) -> Observation | None:
    """Return what is said of one training, None without an id.

    The listing and the training's own answer spell id and phase differently; either is read.
    """
    workload_id = members.get("workloadId") or members.get("id")
    if not is_uuid(workload_id):
        return None
    return Observation(
        workload_id=workload_id,
        name=_text(members, "name") or name,
        phase=Phase.read(_text(members, "actualPhase") or _text(members, "phase")),
        project_id=_text(members, "projectId"),
        desired_phase=_desired_phase(_text(members, "desiredPhase")),
        created_at=_time(members, "createdAt"),
        phase_updated_at=_time(members, "phaseUpdatedAt"),
        deleted_at=_time(members, "deletedAt"),
        labels=_labels(_members(members.get("spec"))),
        message=show(_text(members, "phaseMessage") or ""),
    )


def _listed(item: JsonValue) -> Observation | None:
    """Return what the listing says of one workload, None when it is no training of any use."""
    members = _members(item)
    kind = _text(members, "type")
    if kind is not None and kind.lower() != "training":
        return None
    found = _observation(members, "")
    return replace(found, labels=None) if found is not None and found.name else None


def _labels(spec: Mapping[str, JsonValue]) -> Mapping[str, str]:
    """Return the labels in a spec that have a name and a value."""
    found: dict[str, str] = {}
    for item in _list(spec, "labels"):
        label = _members(item)
        name, value = _text(label, "name"), _text(label, "value")
        if name is not None and value is not None:
            found[name] = value
    return MappingProxyType(found)


def _event(members: Mapping[str, JsonValue]) -> TrainingEvent:
    """Return one event; its exit code is what its message says, if anything."""
    message = _text(members, "message") or ""
    named = _EXIT_CODE.search(message)
    return TrainingEvent(
        at=_time(members, "createdAt"),
        reason=show(_text(members, "reason") or ""),
        message=show(message),
        exit_code=int(named.group(1)) if named else None,
    )


def _named(items: Iterable[JsonValue], id_key: str) -> Iterable[Named]:
    """Yield the items that have an id and a name."""
    for item in items:
        members = _members(item)
        found, name = _text(members, id_key) or _text(members, "id"), _text(members, "name")
        if found and name:
            yield Named(id=found, name=name, cluster_id=_text(members, "clusterId"))


def _following(members: Mapping[str, JsonValue]) -> int | None:
    """Return the offset of the next page, None on the last."""
    following = members.get("next")
    return following if type(following) is int else None


def _members(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, Mapping) else {}


def _list(members: Mapping[str, JsonValue], key: str) -> Sequence[JsonValue]:
    items = members.get(key)
    return items if isinstance(items, list) else []


def _text(members: Mapping[str, JsonValue], key: str) -> str | None:
    text = members.get(key)
    return text if isinstance(text, str) else None


def _time(members: Mapping[str, JsonValue], key: str) -> datetime | None:
    """Return an aware time; one without a zone is UTC, one that cannot be read is missing."""
    try:
        at = datetime.fromisoformat(_text(members, key) or "")
        aware = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    # Servers in Go write the year 1 where there is no time.
    return aware if aware.year > 1 else None


def _desired_phase(word: str | None) -> DesiredPhase | None:
    try:
        return DesiredPhase(word) if word is not None else None
    except ValueError:
        return None
