"""What the local control plane takes from a training's spec: what it needs, and how it lives.

A spec was checked when it was created, yet any JSON has an answer here: what has the wrong type
reads as not given.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from sweeper.domain.values import JsonValue
from sweeper.wire.amounts import read_amount

Spec = Mapping[str, JsonValue]

DEFAULT_GRACE_SECONDS = 30.0
DEFAULT_BACKOFF_LIMIT = 6
DEFAULT_AUTO_DELETION = timedelta(days=30)
DEFAULT_PRIORITY = "train"

PRIORITIES: Mapping[str, int] = MappingProxyType(
    {
        "build": 100,
        "interactive-preemptible": 75,
        "train": 50,
        "very-low": 25,
        "low": 40,
        "medium-low": 65,
        "medium": 80,
        "medium-high": 90,
        "high": 125,
        "very-high": 150,
    }
)
"""Place in the queue by word; the first three are those of API 2.21, the others came later."""

PREEMPTIBLE_BELOW = 100

_PREEMPTIBILITY: Mapping[str, bool] = MappingProxyType(
    {"preemptible": True, "non-preemptible": False}
)
"""The words of a field that came with API 2.24."""

MOST_PODS = 1_000
"""The most processes of one training at one time, whatever its spec says."""

_LONGEST = timedelta(days=36_500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a training holds while it has a process.

    It is of each of its `pods`, which start together. `gpu_share` is of each of `gpu_devices`;
    `gpu_memory` is what is wanted of each device instead of a share; amounts of memory are in
    bytes. Zero needs nothing and is never bounded. `extended` has amounts by the name of the
    resource. `node_pools` are in order of preference. A higher `priority` comes first.
    """

    gpu_devices: int = 0
    gpu_share: Fraction = Fraction(1)
    gpu_memory: Fraction | None = None
    mig_profile: str | None = None
    cores: Fraction = Fraction(0)
    memory: Fraction = Fraction(0)
    extended: Mapping[str, Fraction] = field(default_factory=dict, hash=False)
    node_pools: tuple[str, ...] = ()
    node_type: str | None = None
    pods: int = 1
    priority: int = PRIORITIES[DEFAULT_PRIORITY]
    preemptibility: bool | None = None
    """Whether it is preemptible, where the spec says so; else the priority decides."""

    @property
    def is_preemptible(self) -> bool:
        """Whether what comes before it in the queue may take its place."""
        if self.preemptibility is not None:
            return self.preemptibility
        return self.priority < PREEMPTIBLE_BELOW

    @property
    def gpus(self) -> Fraction:
        """GPUs of all pods."""
        return self.pods * self.gpus_of_pod

    @property
    def gpus_of_pod(self) -> Fraction:
        """GPUs of each pod."""
        return self.gpu_devices * self.gpu_share


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """How the readiness probe of a spec asks, and what it makes of the answers.

    The defaults are those of Kubernetes. `failures` probes in a row that fail make a process
    not ready, `successes` in a row that do not make it ready again.
    """

    url: str
    initial_delay: float = 0.0
    period: float = 10.0
    timeout: float = 1.0
    successes: int = 1
    failures: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """How a training succeeds, is stopped, tried again and deleted.

    - `parallelism` is the most pods at one time
    - `completions` pods must succeed. None: any pod may say that the work is done, by success;
      none is started after that, and the training is done when the last one has ended
    - `restarts` is false where a failed process is never tried again, whatever the limit;
      `restarts_always` is true where one that succeeded is started again, too
    - without `readiness` every process that runs is ready
    - `has_folder` is whether its processes have folders of their own: volumes, or a home
    """

    grace_seconds: float = DEFAULT_GRACE_SECONDS
    backoff_limit: int = DEFAULT_BACKOFF_LIMIT
    restarts: bool = True
    restarts_always: bool = False
    parallelism: int = 1
    completions: int | None = 1
    auto_deletion: timedelta = DEFAULT_AUTO_DELETION
    ends_when_preempted: bool = False
    readiness: Readiness | None = None
    has_folder: bool = False


def read_spec(text: str | None) -> Spec:
    """Return the spec that was kept as JSON text; one that is absent or null is empty.

    It was read with care before it was kept, so here it is read fast.
    """
    value = None if text is None else json.loads(text)
    return value if isinstance(value, Mapping) else {}


def read_need(spec: Spec, succeeded: int = 0) -> Need:
    """Return what a training of this spec holds, once `succeeded` of its pods have done so."""
    members = members_of(spec, "compute")
    kind = members.get("gpuRequestType")
    node_type, profile = spec.get("nodeType"), members.get("migProfile")
    need = Need(
        gpu_devices=_devices(members),
        gpu_share=_share(members),
        gpu_memory=_amount(members.get("gpuMemoryRequest")) or None if kind == "memory" else None,
        mig_profile=profile if kind == "migProfile" and isinstance(profile, str) else None,
        cores=_number(members.get("cpuCoreRequest")),
        memory=_amount(members.get("cpuMemoryRequest")),
        extended=_extended(members),
        node_pools=_pools(spec),
        node_type=node_type if isinstance(node_type, str) else None,
        pods=pods_at_once(_parallelism(spec), _completions(spec), succeeded),
        priority=PRIORITIES.get(priority_word(spec), PRIORITIES[DEFAULT_PRIORITY]),
        preemptibility=_PREEMPTIBILITY.get(str(spec.get("preemptibility"))),
    )
    return _shared(need)


@lru_cache(maxsize=1024)
def _shared(need: Need) -> Need:
    """Return the first of all equal needs: who decides tells them apart by identity."""
    return need


def pods_at_once(parallelism: int, completions: int | None, succeeded: int) -> int:
    """Return how many pods are still of use at one time; at least 1."""
    left = parallelism if completions is None else completions - succeeded
    return max(min(parallelism, left), 1)


def members_of(spec: Spec, key: str) -> Spec:
    """Return an object within a spec; one that is absent or none is empty."""
    found = spec.get(key)
    return found if isinstance(found, Mapping) else {}


def items_of(spec: Spec, key: str) -> Iterator[tuple[int, Spec]]:
    """Yield places and items of a list of objects, without those that are null or excluded."""
    items = spec.get(key)
    for place, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, Mapping) and item.get("exclude") is not True:
            yield place, item


def priority_word(spec: Spec) -> str:
    """Return the priority class, as it was given."""
    word = spec.get("priorityClass")
    return word if isinstance(word, str) else DEFAULT_PRIORITY


def read_lifecycle(spec: Spec) -> Lifecycle:
    """Return how a training of this spec lives."""
    grace = _whole(spec.get("terminationGracePeriodSeconds"))
    limit = _whole(spec.get("backoffLimit"))
    deletion = _whole(spec.get("autoDeletionTimeAfterCompletionSeconds"))
    longest = int(_LONGEST.total_seconds())
    return Lifecycle(
        grace_seconds=DEFAULT_GRACE_SECONDS if grace is None else float(min(grace, longest)),
        backoff_limit=DEFAULT_BACKOFF_LIMIT if limit is None else limit,
        restarts=spec.get("restartPolicy") != "Never",
        restarts_always=spec.get("restartPolicy") == "Always",
        parallelism=_parallelism(spec),
        completions=_completions(spec),
        auto_deletion=(
            DEFAULT_AUTO_DELETION if deletion is None else timedelta(seconds=min(deletion, longest))
        ),
        ends_when_preempted=spec.get("terminateAfterPreemption") is True,
        readiness=_readiness(members_of(members_of(spec, "probes"), "readiness")),
        has_folder=spec.get("createHomeDir") is True or bool(members_of(spec, "storage")),
    )


def _parallelism(spec: Spec) -> int:
    """Return the most pods at one time; none, and what is below 1, counts as one."""
    return min(max(_whole(spec.get("parallelism")) or 1, 1), MOST_PODS)


def _completions(spec: Spec) -> int | None:
    """Return the successes wanted; several pods without a number share a queue of work."""
    given = _whole(spec.get("completions"))
    if given is None:
        return 1 if _parallelism(spec) == 1 else None
    return max(given, 1)


def _readiness(probe: Spec) -> Readiness | None:
    """Return how to probe; without a port there is nothing to ask."""
    get = members_of(members_of(probe, "handler"), "httpGet")
    port = _whole(get.get("port"))
    if not port:
        return None
    host, path, scheme = get.get("host"), get.get("path"), get.get("scheme")
    name = host if isinstance(host, str) and host else "127.0.0.1"
    start = "https" if scheme == "HTTPS" else "http"
    place = path if isinstance(path, str) and path else "/"
    return Readiness(
        url=f"{start}://{name}:{port}{place}",
        initial_delay=_seconds(probe.get("initialDelaySeconds"), 0),
        period=_seconds(probe.get("periodSeconds"), 10),
        timeout=_seconds(probe.get("timeoutSeconds"), 1),
        successes=_whole(probe.get("successThreshold")) or 1,
        failures=_whole(probe.get("failureThreshold")) or 3,
    )


def _seconds(value: JsonValue, default: int) -> float:
    return float(min(_whole(value) or default, int(_LONGEST.total_seconds())))


def _extended(compute: Spec) -> Mapping[str, Fraction]:
    """Return the amounts of other resources; several of one resource add up."""
    found: dict[str, Fraction] = {}
    for _, item in items_of(compute, "extendedResources"):
        name, amount = item.get("resource"), _amount(item.get("quantity"))
        if isinstance(name, str) and amount > 0:
            found[name] = found.get(name, Fraction(0)) + amount
    return MappingProxyType(found)


def _pools(spec: Spec) -> tuple[str, ...]:
    pools = spec.get("nodePools")
    return tuple(one for one in (pools if isinstance(pools, list) else ()) if isinstance(one, str))


def _devices(compute: Spec) -> int:
    devices = _whole(compute.get("gpuDevicesRequest"))
    if devices is None:
        # A share that names no number of devices is of one.
        return 0 if compute.get("gpuRequestType") is None else 1
    return devices


def _share(compute: Spec) -> Fraction:
    """Return the share of each device; by memory or MIG profile it is the whole device."""
    portion = compute.get("gpuPortionRequest")
    if compute.get("gpuRequestType") != "portion" or portion is None:
        return Fraction(1)
    return min(_number(portion), Fraction(1))


def _whole(value: JsonValue) -> int | None:
    """Return a whole number, at least 0."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return max(value, 0)


def _number(value: JsonValue) -> Fraction:
    """Return an exact number, at least 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return Fraction(0)
    # By way of text, 0.1 is one tenth and not the double nearest to it.
    return max(Fraction(str(value)), Fraction(0))


def _amount(value: JsonValue) -> Fraction:
    amount = read_amount(value) if isinstance(value, str) else None
    return max(amount or Fraction(0), Fraction(0))
