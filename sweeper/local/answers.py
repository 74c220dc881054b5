"""The JSON that the local control plane answers with, in the words of the Trainings API.

What is not known is left out, never null; a spec is answered as it was sent.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sweeper.domain.phase import Phase
from sweeper.domain.values import JsonValue
from sweeper.local.places import CLUSTER_NAME, NODE_POOL, Project
from sweeper.local.spec_reading import priority_word, read_spec
from sweeper.local.trainings import LocalTraining, PlaneEvent
from sweeper.wire.answers import Training

Json = dict[str, JsonValue]


def moment(at: datetime) -> str:
    """Return a time as the API writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def training_answer(training: LocalTraining) -> Json:
    """Return what the operations on one training answer with."""
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
    ).answer()


def workload_answer(training: LocalTraining, project: Project) -> Json:
    """Return one item of the listing."""
    spec = read_spec(training.spec_text)
    answer: Json = {
        "id": training.workload_id,
        "name": training.name,
        "type": "Training",
        "phase": training.phase.value,
        "phaseUpdatedAt": moment(training.phase_updated_at),
        "createdAt": moment(training.created_at),
        "updatedAt": moment(training.phase_updated_at),
        "runningPods": int(training.phase is Phase.RUNNING),
        "requestedPods": {"number": 1},
        "preemptible": training.need.is_preemptible,
        "priority": priority_word(spec),
        "projectId": project.id,
        "projectName": project.name,
        "clusterId": training.cluster_id,
        "namespace": project.namespace,
        "submittedBy": training.created_by,
        "currentNodePools": [NODE_POOL] if training.has_process else [],
        "actionsSupport": {"delete": True, "suspend": not training.is_over},
        "source": "API",
    }
    answer |= _texts(
        phaseMessage=training.phase_message,
        phaseReason=training.phase_reason,
        command=spec.get("command"),
        arguments=spec.get("args"),
    )
    answer |= _times(completedAt=training.completed_at, deletedAt=training.deleted_at)
    image = spec.get("image")
    if isinstance(image, str):
        answer["images"] = [image]
    return answer


def event_answer(number: int, event: PlaneEvent, training: LocalTraining, project: Project) -> Json:
    """Return one event."""
    return {
        "id": f"{training.workload_id}-{number}",
        "createdAt": moment(event.at),
        "type": "Warning" if event.is_warning else "Normal",
        "reason": event.reason,
        "message": event.message,
        "source": "sweeper-local",
        "clusterId": training.cluster_id,
        "involvedObject": {
            "uid": training.workload_id,
            "kind": "Training",
            "name": training.name,
            "namespace": project.namespace,
        },
    }


def project_answer(project: Project) -> Json:
    """Return one project."""
    return {
        "id": project.id,
        "name": project.name,
        "clusterId": project.cluster_id,
        "status": {"namespace": project.namespace, "phase": "Ready"},
    }


def cluster_answer(cluster_id: str) -> Json:
    """Return the one cluster."""
    return {"uuid": cluster_id, "name": CLUSTER_NAME, "status": {"state": "Connected"}}


def page_answer(key: str, items: Sequence[JsonValue], offset: int, limit: int) -> Json:
    """Return a page of up to `limit` items; `items` has one more when there is a next page."""
    answer: Json = {key: list(items[:limit])}
    if len(items) > limit:
        answer["next"] = offset + limit
    return answer


def _texts(**texts: JsonValue) -> Json:
    return {key: text for key, text in texts.items() if isinstance(text, str) and text}


def _times(**times: datetime | None) -> Json:
    return {key: moment(at) for key, at in times.items() if at is not None}
