"""Fault plans as they are written, and whom a request is for."""

import re
from pathlib import Path

import pytest

from sweeper.local.faults.operations import Operation, operation_of
from sweeper.local.faults.plan import (
    PLAN_SHAPE,
    FaultPlan,
    Happening,
    Preempt,
    Rule,
    Status,
    parse_plan,
    read_plan,
)
from sweeper.local.simulation import parse_simulation
from sweeper.local.yaml_files import PlaneFileError

DOCUMENT = Path(__file__).parents[3] / "docs" / "rehearsing.md"

TEXT = b"""
seed: 3
rules:
- {on: [create], probability: 0.05, fault: {kind: status, status: 503, when: after}}
happenings:
- {at: 60, misfortune: {kind: preempt, share: 0.5}}
"""


def test_a_plan_is_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_bytes(TEXT)

    assert read_plan(path) == FaultPlan(
        seed=3,
        rules=(
            Rule(fault=Status(status=503, when="after"), on=(Operation.CREATE,), probability=0.05),
        ),
        happenings=(Happening(misfortune=Preempt(share=0.5), at=60),),
    )


def test_a_plan_comes_back_from_its_own_words() -> None:
    plan = parse_plan(TEXT, "faults.yaml")

    assert parse_plan(PLAN_SHAPE.dump_json(plan), "again") == plan


def test_every_fault_of_a_plan_is_told_with_its_place() -> None:
    text = b"""seed: many
rules:
- {on: [creates], probability: 5, fault: {kind: status, staus: 503}}
- fault: {kind: flood}
"""

    with pytest.raises(PlaneFileError) as error:
        parse_plan(text, "faults.yaml")

    lines = str(error.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "faults.yaml:1:1",
        "faults.yaml:3:57",
        "faults.yaml:3:9",
        "faults.yaml:3:19",
        "faults.yaml:4:3",
    ]
    assert all(word in lines[2] for word in Operation)


@pytest.mark.parametrize("title", ["simulation.yaml", "faults.yaml"])
def test_the_examples_in_the_document_can_be_used(title: str) -> None:
    blocks = re.findall(r"```yaml\n# (\S+)\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    parse = parse_plan if title == "faults.yaml" else parse_simulation

    texts = [text for name, text in blocks if name == title]

    assert texts
    for text in texts:
        parse(text.encode(), title)


def test_the_document_names_every_word_of_a_plan() -> None:
    document = DOCUMENT.read_text()
    schema = PLAN_SHAPE.json_schema()
    words = {name for shape in schema["$defs"].values() for name in shape.get("properties", ())}
    kinds = {
        shape["properties"]["kind"]["const"]
        for shape in schema["$defs"].values()
        if "kind" in shape.get("properties", ())
    }

    missing = [word for word in words | kinds | set(Operation) if f"`{word}`" not in document]

    assert missing == []


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", "/api/v1/workloads/trainings", "create"),
        ("GET", "/api/v1/workloads/trainings/5", "get"),
        ("HEAD", "/api/v1/workloads/trainings/5", "get"),
        ("DELETE", "/api/v1/workloads/trainings/5", "delete"),
        ("POST", "/api/v1/workloads/trainings/5/suspend", "suspend"),
        ("POST", "/api/v1/workloads/trainings/5/resume", "resume"),
        ("GET", "/api/v1/workloads", "list"),
        ("GET", "/api/v1/workloads/count", "count"),
        ("GET", "/api/v1/workloads/5", "workload"),
        ("GET", "/api/v1/workloads/5/events", "events"),
        ("GET", "/api/v1/workloads/5/history", "history"),
        ("GET", "/api/v1/workloads/5/pods", "pods"),
        ("GET", "/api/v1/workloads/5/logs", "logs"),
        ("POST", "/api/v1/workloads/batch", "batch"),
        ("POST", "/api/v1/token", "token"),
        ("POST", "/api/v2/token", "token"),
        ("GET", "/api/v1/org-unit/projects", "projects"),
        ("GET", "/api/v1/clusters", "clusters"),
        ("PUT", "/api/v1/workloads/trainings/5", None),
        ("POST", "/api/v1/workloads/5/events", None),
        ("GET", "/openapi.json", None),
        ("PUT", "/admin/faults", None),
    ],
)
def test_every_request_has_its_operation(method: str, path: str, operation: str | None) -> None:
    assert operation_of(method, path) == operation
