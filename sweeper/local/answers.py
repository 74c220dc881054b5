"""From trainings, events and places to the answers of the Trainings API."""

from collections.abc import Mapping, Sequence
from typing import TypeVar
from uuid import UUID, uuid5

from sweeper.domain.values import JsonValue
from sweeper.local.filters import Query
from sweeper.local.history import PhaseUpdate
from sweeper.local.places import CLUSTER_NAME, NODE_POOL, Project
from sweeper.local.pods import Pod, Process
from sweeper.local.spec_reading import Spec, pods_at_once, priority_word, read_spec
from sweeper.local.trainings import LocalTraining, PlaneEvent
from sweeper.local.waits import reason_word
from sweeper.wire import histories, listings, pods
from sweeper.wire.answers import Training

T = TypeVar("T")


def training_answer(training: LocalTraining) -> Training:
    """Return what the operations on one training answer with; its spec as it was sent."""
    return Training(
        name=training.name,
        requested_name=training.requested_name,
        workload_id=training.workload_id,
        project_id=training.project_id,
        cluster_id=training.cluster_id,
        created_by=training.created_by,
        created_at=training.created_at,
        deleted_at=training.deleted_at,
        desired_phase=training.desired_phase,
        actual_phase=training.phase,
        spec=read_spec(training.spec_text) if training.spec_text is not None else None,
    )


def workload_answer(training: LocalTraining, project: Project) -> listings.Workload:
    """Return one item of the listing."""
    spec = read_spec(training.spec_text)
    image = _text(spec, "image")
    return listings.Workload(
        id=training.workload_id,
        name=training.name,
        phase=training.phase,
        phase_message=training.phase_message,
        phase_reason=reason_word(training.phase_reason),
        phase_updated_at=training.phase_updated_at,
        created_at=training.created_at,
        updated_at=training.phase_updated_at,
        completed_at=training.completed_at,
        deleted_at=training.deleted_at,
        running_pods=sum(pod.is_up for pod in training.pods),
        requested_pods=_requested_pods(training),
        allocated_resources=_allocated(training),
        preemptible=training.need.is_preemptible,
        priority=priority_word(spec),
        priority_class_name=priority_word(spec),
        project_id=project.id,
        project_name=project.name,
        department_id=project.department,
        department_name=project.department,
        cluster_id=training.cluster_id,
        namespace=project.namespace,
        submitted_by=training.created_by,
        current_node_pools=[training.node_pool or NODE_POOL] if training.pods else [],
        images=None if image is None else [image],
        command=_text(spec, "command"),
        arguments=_text(spec, "args"),
        actions_support=listings.ActionsSupport(suspend=not training.is_over),
        source="API",
    )


def _requested_pods(training: LocalTraining) -> listings.RequestedPods:
    """Return how many pods it may have at one time, and what was said of them beyond one."""
    lives = training.lifecycle
    return listings.RequestedPods(
        number=pods_at_once(lives.parallelism, lives.completions, 0),
        parallelism=lives.parallelism if lives.parallelism > 1 else None,
        completions=lives.completions if lives.completions != 1 else None,
    )


def _allocated(training: LocalTraining) -> Mapping[str, object]:
    """Return what its pods hold, between two processes as well; memory in bytes."""
    need, pods = training.need, len(training.pods)
    if not pods:
        return {}
    held = {"gpu": need.gpus_of_pod, "cpu": need.cores, "cpuMemory": need.memory}
    return {
        kind: {"request": float(pods * amount)} for kind, amount in held.items() if pods * amount
    }


def event_answer(
    number: int, event: PlaneEvent, training: LocalTraining, project: Project
) -> listings.WorkloadEvent:
    """Return one event."""
    return listings.WorkloadEvent(
        id=f"{training.workload_id}-{number}",
        created_at=event.at,
        type="Warning" if event.is_warning else "Normal",
        reason=event.reason,
        message=event.message,
        source="sweeper-local",
        cluster_id=training.cluster_id,
        involved_object=listings.InvolvedObject(
            uid=training.workload_id,
            kind="Training",
            name=training.name,
            namespace=project.namespace,
        ),
    )


def history_answer(
    number: int, happened: PlaneEvent | PhaseUpdate, training: LocalTraining, project: Project
) -> histories.HistoryRecord:
    """Return one record of a training's history."""
    if isinstance(happened, PhaseUpdate):
        update = histories.PhaseUpdate(phase=happened.phase, phase_message=happened.message)
        meta = histories.HistoryMeta(creation_timestamp=happened.at, type="PhaseUpdate")
        spec = histories.HistorySpec(phase_update=update)
    else:
        event = event_answer(number, happened, training, project)
        meta = histories.HistoryMeta(creation_timestamp=happened.at, type="Event")
        spec = histories.HistorySpec(event=event)
    return histories.HistoryRecord(meta=meta, spec=spec)


def pod_answer(pod: Pod, training: LocalTraining, project: Project) -> pods.Pod:
    """Return one pod; of its times only that of the training's phase is known."""
    spec, since = read_spec(training.spec_text), training.phase_updated_at
    return pods.Pod(
        name=f"{training.name}-{pod.index}-{pod.start}",
        priority_class_name=priority_word(spec),
        id=str(uuid5(UUID(training.workload_id), training.key_of(pod))),
        workload_id=training.workload_id,
        workload_name=training.name,
        cluster_id=training.cluster_id,
        project_id=project.id,
        project_name=project.name,
        node_name=pod.node or None,
        created_at=since,
        updated_at=since,
        containers=[pods.Container(name=training.name, image=_text(spec, "image") or "")],
        current_node_pool=training.node_pool or NODE_POOL,
        k8s_phase="Running" if pod.process is Process.RUNNING else "Pending",
        k8s_phase_updated_at=since,
    )


def project_answer(project: Project) -> listings.Project:
    """Return one project."""
    return listings.Project(
        id=project.id,
        name=project.name,
        cluster_id=project.cluster_id,
        department_id=project.department,
        department_name=project.department,
    )


def cluster_answer(cluster_id: str) -> listings.Cluster:
    """Return the one cluster."""
    return listings.Cluster(uuid=cluster_id, name=CLUSTER_NAME)


def cut(found: Sequence[T], query: Query) -> tuple[Sequence[T], int | None]:
    """Return a page's items, and the offset of the next page when one more was found."""
    following = query.offset + query.limit if len(found) > query.limit else None
    return found[: query.limit], following


def _text(spec: Spec, key: str) -> str | None:
    value: JsonValue = spec.get(key)
    return value if isinstance(value, str) else None
