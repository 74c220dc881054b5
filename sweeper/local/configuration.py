"""The file that says what a control plane has: nodes, node pools, departments, projects, quotas.

    nodes:
      - {name: dgx-1, pool: a100, gpus: 8, gpu_memory: 80G, cores: 64, memory: 512G}
    departments:
      - {name: research, quota: 6}
    projects:
      - {name: vision, department: research, quota: 4, limit: 8}
      - {name: speech, department: research, quota: {gpus: 2, cores: 16}, over_quota_weight: 2}

What is not given is unbounded; quotas and limits hold for each node pool alike unless `pools`
says otherwise for one. A department without a quota has the sum of its projects' ones.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from sweeper.local.gpus import Gpu
from sweeper.local.nodes import MIG_PREFIX, Node
from sweeper.local.places import NODE_POOL, Organization, Project
from sweeper.local.quotas import Allotment, Bounds, Department, Kind
from sweeper.local.yaml_files import parse_yaml, read_yaml_file
from sweeper.wire.amounts import parse_amount
from sweeper.wire.fields import nearest

MOST_GPUS = 4_096
"""The most GPUs of one node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredNode:
    """A node of the file; `gpus` is their number, None meaning those of this machine."""

    node: Node
    gpus: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalConfiguration:
    """What a control plane has and who may use it."""

    organization: Organization = field(default_factory=Organization)
    nodes: tuple[DeclaredNode, ...] = ()

    def nodes_with(self, gpus: Sequence[Gpu]) -> tuple[Node, ...]:
        """Return the nodes with their devices: the first one has this machine's, as many as it may.

        All other devices are only counted. Their numbers are beyond those of real ones, so that
        no process takes them for a GPU of the machine.
        """
        made = []
        following = max((gpu.index for gpu in gpus), default=-1) + 1
        real: tuple[int, ...] = tuple(gpu.index for gpu in gpus)
        for declared in self.nodes:
            count = len(real) if declared.gpus is None else declared.gpus
            taken, real = real[:count], ()
            others = tuple(range(following, following + count - len(taken)))
            following += len(others)
            made.append(replace(declared.node, devices=taken + others))
        return tuple(made)


def read_configuration(path: Path) -> LocalConfiguration:
    """Return what a file says.

    Raises:
        PlaneFileError: it cannot be read, or has faults: all of them are in the message.
    """
    return _built(read_yaml_file(path, _Shape()))


def parse_configuration(content: bytes, file: str) -> LocalConfiguration:
    """Return what `content` says as the content of `file`; raises as `read_configuration`."""
    return _built(parse_yaml(content, file, _Shape()))


def configuration_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file."""
    return PlaneFile.model_json_schema()


def _number(value: Any) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("number", "write a number that is not below 0")
    if not 0 <= value < 10**9:
        raise PydanticCustomError("number", "write a number from 0 to 10^9")
    return Fraction(str(value))


def _amount(value: Any) -> Fraction:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return Fraction(value)
    if not isinstance(value, str):
        raise PydanticCustomError("amount", "write an amount such as 64G")
    try:
        return parse_amount(value)
    except ValueError as error:
        raise PydanticCustomError("amount", "{error}", {"error": str(error)}) from error


def _bounds(value: Any) -> Any:
    return value if isinstance(value, Mapping) else {"gpus": value}


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_NUMBER_SCHEMA = {"type": "number", "minimum": 0}
_AMOUNT_SCHEMA = {"type": ["string", "integer"], "description": "bytes, such as 64G"}

Number: TypeAlias = Annotated[
    Any, BeforeValidator(_number), Field(json_schema_extra=_NUMBER_SCHEMA)
]
Amount: TypeAlias = Annotated[
    Any, BeforeValidator(_amount), Field(json_schema_extra=_AMOUNT_SCHEMA)
]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$", max_length=50)]
Word: TypeAlias = Annotated[str, Field(min_length=1, max_length=253)]
Id: TypeAlias = Annotated[
    str,
    BeforeValidator(_text, json_schema_input_type=str | int),
    Field(min_length=1, max_length=50),
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BoundsPart(_Part):
    """Amounts of GPUs, CPU cores and memory; a number alone is of GPUs."""

    gpus: Number | None = None
    cores: Number | None = None
    memory: Amount | None = None


Quota: TypeAlias = Annotated[
    BoundsPart, BeforeValidator(_bounds, json_schema_input_type=BoundsPart | float)
]


class AllotmentPart(_Part):
    """What is had of a node pool."""

    quota: Quota | None = None
    """What is deserved: others give it back."""
    limit: Quota | None = None
    """What is never exceeded; not below the quota."""
    over_quota_weight: Number = Fraction(1)
    """Share of what nobody deserves; 0 never goes beyond the quota."""


class OwnerPart(AllotmentPart):
    """What is had of every node pool, and of single ones."""

    name: Name
    """Its name, which no other has."""
    pools: Mapping[Name, AllotmentPart] = Field(default_factory=dict)
    """Of a node pool for which that differs."""


class DepartmentPart(OwnerPart):
    """A department."""


class ProjectPart(OwnerPart):
    """A project."""

    id: Id | None = None
    """Its id in the API; without one, its place in the file, from 1."""
    department: Name = "default"
    """The department that bounds it, too."""
    node_pools: tuple[Name, ...] = ()
    """Where its trainings run that name no node pool, in order of preference; empty: all."""


class NodePart(_Part):
    """A node; processes of all nodes run on this machine."""

    name: Name
    """Its name, which no other has."""
    pool: Name = NODE_POOL
    """The node pool it belongs to."""
    gpus: Annotated[int, Field(ge=0, le=MOST_GPUS, strict=True)] | None = None
    """Its GPUs; without a number the first node has those of this machine, all others none."""
    gpu_memory: Amount | None = None
    """Memory of each GPU; where it is unknown a request by memory takes a whole one."""
    cores: Number | None = None
    """CPU cores that can be requested."""
    memory: Amount | None = None
    """Memory that can be requested."""
    node_type: Word | None = None
    """What `nodeType` of a spec asks for."""
    extended: Mapping[Word, Amount] = Field(default_factory=dict)
    """Extended resources by name."""
    mig: Mapping[Word, Annotated[int, Field(ge=0, le=MOST_GPUS, strict=True)]] = Field(
        default_factory=dict
    )
    """Slices of GPUs by profile, beside the whole ones."""


class PlaneFile(_Part):
    """The whole file."""

    nodes: tuple[NodePart, ...] = ()
    """The nodes; none means one with what this machine has."""
    departments: tuple[DepartmentPart, ...] = ()
    """The departments; those that projects name need not be here."""
    projects: tuple[ProjectPart, ...] = ()
    """The projects; none means one called default, which may have everything."""


class _Shape:
    """Checks what models cannot: names across the file, and which key was meant."""

    def validate_python(self, value: Any, /) -> PlaneFile:
        """Return the file's value; raises `ValidationError` with all faults."""
        try:
            found = PlaneFile.model_validate(value)
        except ValidationError as error:
            details = [_spelt(each) for each in error.errors(include_url=False)]
            raise ValidationError.from_exception_data("plane", details) from None
        faults = [_fault(*each) for each in _cross_faults(found)]
        if faults:
            raise ValidationError.from_exception_data("plane", faults)
        return found


_KEYS = sorted(
    {
        name
        for part in (BoundsPart, AllotmentPart, ProjectPart, NodePart, PlaneFile)
        for name in part.model_fields
    }
)


def _spelt(detail: Any) -> InitErrorDetails:
    message = detail["msg"]
    if detail["type"] == "extra_forbidden":
        near = nearest(str(detail["loc"][-1]), _KEYS)
        message = f"unknown key{f': did you mean {near}?' if near else ''}"
    if detail["type"] == "missing":
        return InitErrorDetails(type="missing", loc=detail["loc"], input=detail["input"])
    return _fault(detail["loc"], message, detail["input"])


def _fault(loc: tuple[str | int, ...], message: str, value: Any = None) -> InitErrorDetails:
    error = PydanticCustomError("plane", "{message}", {"message": message})
    return InitErrorDetails(type=error, loc=loc, input=value)


_Fault: TypeAlias = tuple[tuple[str | int, ...], str]


def _cross_faults(file: PlaneFile) -> Iterator[_Fault]:
    yield from _repeated("nodes", [one.name for one in file.nodes], "name")
    yield from _repeated("departments", [one.name for one in file.departments], "name")
    yield from _repeated("projects", [one.name for one in file.projects], "name")
    yield from _repeated("projects", [_id(one, at) for at, one in enumerate(file.projects)], "id")
    pools = sorted({one.pool for one in file.nodes} or {NODE_POOL})
    for key, owners in (("departments", file.departments), ("projects", file.projects)):
        for at, owner in enumerate(owners):
            yield from _owner_faults((key, at), owner, pools)
    for at, project in enumerate(file.projects):
        for place, pool in enumerate(project.node_pools):
            if pool not in pools:
                yield ("projects", at, "node_pools", place), _no_pool(pools)


def _owner_faults(
    loc: tuple[str | int, ...], owner: OwnerPart, pools: Sequence[str]
) -> Iterator[_Fault]:
    for pool in owner.pools:
        if pool not in pools:
            yield (*loc, "pools", pool), _no_pool(pools)
    parts = [((), owner), *((("pools", pool), part) for pool, part in owner.pools.items())]
    for steps, part in parts:
        allotment = _allotment(part)
        for kind in Kind:
            quota, limit = allotment.quota.of(kind), allotment.limit.of(kind)
            if limit is not None and quota is not None and limit < quota:
                yield (*loc, *steps, "limit"), f"the limit of {kind} is below the quota: raise it"


def _no_pool(pools: Sequence[str]) -> str:
    return f"no node is in that node pool: there are {', '.join(pools)}"


def _repeated(key: str, names: Sequence[str], what: str) -> Iterator[_Fault]:
    for at, name in enumerate(names):
        if name in names[:at]:
            yield (key, at, what), f"{what} {name} is there twice: choose another"


def _built(file: PlaneFile) -> LocalConfiguration:
    projects = tuple(_project(one, at) for at, one in enumerate(file.projects)) or (Project(),)
    named = {one.name: _department(one, projects) for one in file.departments}
    others = dict.fromkeys(one.department for one in projects if one.department not in named)
    departments = (*named.values(), *(Department(name=name) for name in others))
    nodes = tuple(_node(one, is_first=at == 0) for at, one in enumerate(file.nodes))
    organization = Organization(projects=projects, departments=departments)
    return LocalConfiguration(organization=organization, nodes=nodes)


def _id(part: ProjectPart, at: int) -> str:
    return part.id or str(at + 1)


def _project(part: ProjectPart, at: int) -> Project:
    return Project(
        id=_id(part, at),
        name=part.name,
        department=part.department,
        node_pools=part.node_pools,
        allotments={pool: _allotment(each) for pool, each in part.pools.items()},
        elsewhere=_allotment(part),
    )


def _department(part: DepartmentPart, projects: Iterable[Project]) -> Department:
    members = [one for one in projects if one.department == part.name]
    pools = {pool for one in members for pool in one.allotments} | set(part.pools)

    def allotment(given: AllotmentPart, shares: Iterable[Allotment]) -> Allotment:
        own = _allotment(given)
        quota = own.quota if given.quota is not None else _sum([each.quota for each in shares])
        return Allotment(quota=quota, limit=own.limit, weight=own.weight)

    return Department(
        name=part.name,
        allotments={
            pool: allotment(part.pools.get(pool, part), [one.allotment(pool) for one in members])
            for pool in pools
        },
        elsewhere=allotment(part, [one.elsewhere for one in members]),
    )


def _sum(bounds: Sequence[Bounds]) -> Bounds:
    def total(amounts: Sequence[Fraction | None]) -> Fraction | None:
        known = [amount for amount in amounts if amount is not None]
        return sum(known, Fraction(0)) if len(known) == len(amounts) else None

    return Bounds(
        gpus=total([each.gpus for each in bounds]),
        cores=total([each.cores for each in bounds]),
        memory=total([each.memory for each in bounds]),
    )


def _allotment(part: AllotmentPart) -> Allotment:
    return Allotment(
        quota=_bounds_of(part.quota),
        limit=_bounds_of(part.limit),
        weight=part.over_quota_weight,
    )


def _bounds_of(part: BoundsPart | None) -> Bounds:
    if part is None:
        return Bounds()
    return Bounds(gpus=part.gpus, cores=part.cores, memory=part.memory)


def _node(part: NodePart, *, is_first: bool) -> DeclaredNode:
    slices = {MIG_PREFIX + profile: Fraction(count) for profile, count in part.mig.items()}
    node = Node(
        name=part.name,
        pool=part.pool,
        gpu_memory=part.gpu_memory,
        cores=part.cores,
        memory=part.memory,
        node_type=part.node_type,
        counted={**part.extended, **slices},
    )
    return DeclaredNode(node=node, gpus=part.gpus if is_first else part.gpus or 0)
