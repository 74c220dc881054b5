"""A training of the local control plane, and everything that can happen to it.

A training is a value; each function here takes one and returns the next, with the events that
tell of it. Commands never fail: what makes no sense in a phase leaves the training as it was.

    Creating ─> Pending ─> Initializing ─> Running ─> Completed | Failed
                 ^  ^            │          │ ^ │
    Resuming ────┘  └── Terminating <───────┤ │ └─> Degraded   (some pods are not up)
       ^                                    │ └───────┘
    Stopped <─────────── Stopping <─────────┘       Terminating: preempted, or failing
                                                    Stopping: suspended
    from everywhere: Deleting ─> deleted

Beside the phase stand the pods, each with its process: ordered (the order is on record and may
have been carried out), running, or none, when the next one waits. Each start has a number, so
that an order given twice starts one process. A training without any process has no pods.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.local.pods import Pod, Process
from sweeper.local.spec_reading import Lifecycle, Need, pods_at_once

FINISHED = frozenset({Phase.COMPLETED, Phase.FAILED})
LEAVING = frozenset({Phase.STOPPING, Phase.TERMINATING, Phase.DELETING})
"""Phases in which processes are being stopped."""
WORKING = frozenset({Phase.INITIALIZING, Phase.RUNNING, Phase.DEGRADED})
"""Phases in which there are processes that nobody stops."""

FIRST_BACKOFF = timedelta(seconds=10)
LONGEST_BACKOFF = timedelta(minutes=6)
LEASE_DELAY = timedelta(seconds=5)
"""How long a pod waits beside others when another control plane uses its GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTraining:
    """One training as the control plane keeps it.

    - `number` counts the trainings in the order in which they were accepted
    - `spec_text` is the spec as it was sent, as JSON; None when none was
    - `need` and `lifecycle` are read from it; `need.pods` is how many of them it has, or
      would have if it started now
    - `starts` counts the starts ordered so far; the newest one's key is `key`
    - `pods` hold its processes, `node_pool` is where they are
    - `failures` counts the processes that failed, `succeeded` those that did not; `not_before`
      is the end of the back-off
    - `is_failing` is whether it will be Failed once its other processes are stopped
    - `delete_at` is when it will be deleted, once it is finished
    """

    number: int
    workload_id: str
    name: str
    requested_name: str
    project_id: str
    cluster_id: str
    created_by: str
    created_at: datetime
    spec_text: str | None = field(default=None, repr=False)
    need: Need = field(default_factory=Need)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    phase: Phase = Phase.CREATING
    desired_phase: DesiredPhase = DesiredPhase.RUNNING
    phase_updated_at: datetime
    phase_message: str = ""
    phase_reason: str = ""
    starts: int = 0
    pods: tuple[Pod, ...] = ()
    node_pool: str = ""
    failures: int = 0
    succeeded: int = 0
    is_failing: bool = False
    not_before: datetime | None = None
    completed_at: datetime | None = None
    delete_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def key(self) -> str:
        """The key of the newest start."""
        return f"{self.workload_id}-{self.starts}"

    def key_of(self, pod: Pod) -> str:
        """Return the key of the newest start of a pod."""
        return f"{self.workload_id}-{pod.start}"

    def pod_name(self, pod: Pod) -> str:
        """Return what Kubernetes would call a pod."""
        return f"{self.name}-{pod.index}-{pod.start}"

    def pod(self, key: str) -> Pod | None:
        """Return the pod whose process, ordered or running, has this key."""
        number = key.rpartition("-")[2]
        for pod in self.pods:
            if pod.has_process and str(pod.start) == number:
                return pod
        return None

    @property
    def has_process(self) -> bool:
        """Whether a process runs, or may run."""
        return any(pod.has_process for pod in self.pods)

    @property
    def devices(self) -> tuple[int, ...]:
        """The GPUs of all pods, one pod after the other; shared ones once for each pod."""
        return tuple(device for pod in self.pods for device in pod.devices)

    @property
    def due(self) -> datetime | None:
        """When something waits for a time, and which."""
        dues = [pod.not_before for pod in self.pods if not pod.has_process]
        return min((due for due in (self.not_before, *dues) if due is not None), default=None)

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more, but for its deletion."""
        return self.phase in FINISHED or self.deleted_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneEvent:
    """What a person, or a client that wonders about a failure, can read of a training's life."""

    workload_id: str
    at: datetime
    reason: str
    message: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A training after something happened, and the events that tell of it."""

    training: LocalTraining
    events: tuple[PlaneEvent, ...] = ()


def queue(training: LocalTraining, now: datetime) -> Step:
    """Let a training that was accepted or resumed wait for its start."""
    if training.phase not in {Phase.CREATING, Phase.RESUMING}:
        return Step(training)
    return Step(enter(training, Phase.PENDING, now))


def wait(training: LocalTraining, reason: str, message: str) -> Step:
    """Say why a training waits."""
    if training.phase is not Phase.PENDING:
        return Step(training)
    if (training.phase_reason, training.phase_message) == (reason, message):
        return Step(training)
    return Step(replace(training, phase_reason=reason, phase_message=message))


def order(
    training: LocalTraining,
    devices: Sequence[int],
    now: datetime,
    *,
    node_pool: str = "",
    nodes: Sequence[str] = (),
) -> Step:
    """Give each pod of a training that waits its start: on these GPUs, as many for each.

    `nodes` names the machine of each pod, where that is known.
    """
    if training.phase is not Phase.PENDING:
        return Step(training)
    count = training.need.pods
    each = len(devices) // count
    pods = tuple(
        Pod(
            index=index,
            start=training.starts + 1 + index,
            process=Process.ORDERED,
            devices=tuple(devices[index * each : (index + 1) * each]),
            node=nodes[index] if index < len(nodes) else "",
            is_ready=training.lifecycle.readiness is None,
        )
        for index in range(count)
    )
    initializing = replace(
        enter(training, Phase.INITIALIZING, now),
        pods=pods,
        starts=training.starts + count,
        node_pool=node_pool,
        not_before=None,
    )
    return Step(initializing)


def suspend(training: LocalTraining, now: datetime) -> Step:
    """Suspend a training: its processes are stopped, its GPUs given back, the rest is kept."""
    if _is_settled(training) or training.phase is Phase.STOPPED or training.is_failing:
        return Step(training)
    told = replace(training, desired_phase=DesiredPhase.STOPPED)
    if not training.has_process:
        return Step(enter(told, Phase.STOPPED, now))
    return Step(leave(told, Phase.STOPPING, now))


def resume(training: LocalTraining, now: datetime) -> Step:
    """Resume a training that is stopped, or that is about to be."""
    told = replace(training, desired_phase=DesiredPhase.RUNNING)
    if training.phase is Phase.STOPPED:
        return Step(enter(replace(told, not_before=None), Phase.RESUMING, now))
    return Step(told) if training.phase is Phase.STOPPING else Step(training)


def delete(training: LocalTraining, now: datetime) -> Step:
    """Delete a training; a finished one keeps its phase, which the listing of deleted ones has."""
    if training.deleted_at is not None or training.phase is Phase.DELETING:
        return Step(training)
    told = replace(training, desired_phase=DesiredPhase.DELETED)
    if training.phase in FINISHED:
        return Step(replace(told, deleted_at=now))
    deleting = leave(told, Phase.DELETING, now)
    return Step(deleting) if training.has_process else left(deleting, now)


def preempt(training: LocalTraining, by: str, now: datetime, *, is_reclaim: bool = False) -> Step:
    """Take the place of a training for the one called `by`; it waits for a new one afterwards.

    With `is_reclaim` the other one's project deserves the place, whatever the priority.
    """
    if training.phase not in WORKING:
        return Step(training)
    kind = "workload" if is_reclaim else "higher priority workload"
    message = f"Pod {training.name} was preempted by {kind} {by}"
    evicted = leave(training, Phase.TERMINATING, now, message)
    return Step(evicted, (told_of(training, now, "Evict", message),))


def left(training: LocalTraining, now: datetime) -> Step:
    """Return what becomes of a training whose processes were stopped, and are gone."""
    at_rest = at_rest_of(training)
    if training.phase is Phase.DELETING:
        return Step(replace(at_rest, deleted_at=now))
    if training.phase is Phase.STOPPING:
        stopped = enter(at_rest, Phase.STOPPED, now)
        is_resumed = training.desired_phase is DesiredPhase.RUNNING
        return resume(stopped, now) if is_resumed else Step(stopped)
    if training.is_failing or training.lifecycle.ends_when_preempted:
        return finish(training, Phase.FAILED, training.phase_message, now)
    return Step(requeue(training, training.phase_message, now))


def backoff(failures: int) -> timedelta:
    """Return how long a training waits after that many failures."""
    doublings = min(failures - 1, 16)
    return min(FIRST_BACKOFF * float(2**doublings), LONGEST_BACKOFF)


def requeue(training: LocalTraining, message: str, now: datetime) -> LocalTraining:
    """Return the training without a place, waiting for a new one."""
    return enter(at_rest_of(training), Phase.PENDING, now, message)


def at_rest_of(training: LocalTraining) -> LocalTraining:
    """Return the training without pods, and with the need of its next start."""
    lifecycle = training.lifecycle
    wanted = pods_at_once(lifecycle.parallelism, lifecycle.completions, training.succeeded)
    return sized(replace(training, pods=(), node_pool=""), wanted)


def sized(training: LocalTraining, pods: int) -> LocalTraining:
    """Return the training with a need of so many pods."""
    if training.need.pods == pods:
        return training
    return replace(training, need=replace(training.need, pods=pods))


def finish(training: LocalTraining, phase: Phase, message: str, now: datetime) -> Step:
    """End a training for good; none of its processes is left."""
    finished = replace(
        enter(training, phase, now, message),
        pods=(),
        is_failing=False,
        not_before=None,
        completed_at=now,
        delete_at=now + training.lifecycle.auto_deletion,
    )
    is_warning = phase is Phase.FAILED
    event = told_of(training, now, phase.value, message, is_warning=is_warning)
    return Step(finished, (event,))


def leave(training: LocalTraining, phase: Phase, now: datetime, message: str = "") -> LocalTraining:
    """Return the training in a phase in which its processes are stopped: no other follows."""
    pods = tuple(pod for pod in training.pods if pod.has_process)
    return enter(replace(training, pods=pods), phase, now, message)


def enter(training: LocalTraining, phase: Phase, now: datetime, message: str = "") -> LocalTraining:
    """Return the training in a phase, since now if it was not in it."""
    since = now if phase is not training.phase else training.phase_updated_at
    return replace(
        training, phase=phase, phase_updated_at=since, phase_message=message, phase_reason=""
    )


def told_of(
    training: LocalTraining, now: datetime, reason: str, message: str, *, is_warning: bool = False
) -> PlaneEvent:
    """Return an event of this training."""
    return PlaneEvent(
        workload_id=training.workload_id,
        at=now,
        reason=reason,
        message=message,
        is_warning=is_warning,
    )


def _is_settled(training: LocalTraining) -> bool:
    return training.is_over or training.phase is Phase.DELETING
