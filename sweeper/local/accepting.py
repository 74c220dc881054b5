"""From a create that was checked to the training that it makes."""

from dataclasses import dataclass, field
from datetime import datetime

from sweeper.local.commands import ignored_fields
from sweeper.local.places import Project
from sweeper.local.spec_reading import read_lifecycle, read_need, read_spec
from sweeper.local.trainings import LocalTraining, PlaneEvent, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """A training to be created; `spec_text` is its spec as JSON, None when none was sent."""

    workload_id: str
    name: str
    requested_name: str
    project: Project
    created_by: str
    spec_text: str | None = field(default=None, repr=False)


def accept(creation: Creation, number: int, now: datetime) -> Step:
    """Return the new training, and an event when some of its spec means nothing here."""
    spec = read_spec(creation.spec_text)
    training = LocalTraining(
        number=number,
        workload_id=creation.workload_id,
        name=creation.name,
        requested_name=creation.requested_name,
        project_id=creation.project.id,
        cluster_id=creation.project.cluster_id,
        created_by=creation.created_by,
        created_at=now,
        phase_updated_at=now,
        spec_text=creation.spec_text,
        need=read_need(spec),
        lifecycle=read_lifecycle(spec),
    )
    ignored = ignored_fields(spec)
    if not ignored:
        return Step(training)
    event = PlaneEvent(
        workload_id=creation.workload_id,
        at=now,
        reason="Ignored",
        message=f"Runs as a process of this machine; ignored are: {', '.join(ignored)}",
    )
    return Step(training, (event,))
