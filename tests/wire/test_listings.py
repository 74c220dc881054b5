import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sweeper.domain.phase import Phase
from sweeper.wire.answers import AnswerModel
from sweeper.wire.listings import (
    Cluster,
    EventPage,
    Project,
    ProjectPage,
    Workload,
    WorkloadCount,
    WorkloadPage,
)

RECORDED = Path(__file__).parents[1] / "data" / "runai"
UUID = "71f69d83-ba66-4822-adf5-55ce55efd210"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _same_times(value: Any) -> Any:
    """Return JSON with milliseconds in every time, since some are recorded without."""
    if isinstance(value, Mapping):
        return {key: _same_times(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_same_times(item) for item in value]
    is_time = isinstance(value, str) and len(value) == 20 and value.endswith("Z")
    return value.replace("Z", ".000Z") if is_time else value


@pytest.mark.parametrize(
    ("model", "file"),
    [
        (WorkloadPage, "workloads_page_1"),
        (WorkloadPage, "workloads_deleted"),
        (EventPage, "events"),
    ],
)
def test_a_recorded_page_could_be_ours(model: type[AnswerModel], file: str) -> None:
    recorded = _recorded(file)

    answer = model.model_validate_json(json.dumps(recorded)).answer()

    assert answer == _same_times(_without_nulls(recorded))


def test_projects_and_clusters_speak_of_recorded_fields_only() -> None:
    project = Project(id="1", name="vision", cluster_id=UUID, department_id="2").answer()
    cluster = Cluster(uuid=UUID, name="on-prem", version="2.21.9").answer()

    assert project.keys() <= _recorded("projects")["projects"][0].keys()
    assert cluster.keys() <= _recorded("clusters")[0].keys()


def test_a_workload_says_only_what_is_known() -> None:
    workload = Workload(
        id=UUID,
        name="demo",
        phase=Phase.PENDING,
        phase_updated_at=NOW,
        created_at=NOW,
        project_id="1",
        cluster_id=UUID,
    )

    assert workload.answer() == {
        "id": UUID,
        "name": "demo",
        "type": "Training",
        "phase": "Pending",
        "phaseMessage": "",
        "phaseUpdatedAt": "2026-03-01T12:00:00.000Z",
        "createdAt": "2026-03-01T12:00:00.000Z",
        "projectId": "1",
        "clusterId": UUID,
    }


def test_the_last_page_names_no_next() -> None:
    assert WorkloadPage(workloads=()).answer() == {"workloads": []}
    assert ProjectPage(projects=(), next=50).answer() == {"projects": [], "next": 50}


def test_a_count_is_its_number() -> None:
    assert WorkloadCount(count=0).answer() == {"count": 0}
