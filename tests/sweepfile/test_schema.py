import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sweeper.sweepfile.document import Document
from sweeper.sweepfile.loading import load
from sweeper.sweepfile.schema import json_schema
from tests.sweepfile.files import DATA, PLAIN
from tests.sweepfile.test_reading import CONFIGS

SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
FILES = [*sorted(CONFIGS.glob("*.yaml")), *sorted(DATA.glob("*.yaml"))]


def refused(text: str) -> bool:
    return bool(list(VALIDATOR.iter_errors(load(text).root.plain())))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(dict(SCHEMA))
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_that_can_run_passes(path: Path) -> None:
    if path.stem == "labels":  # W&B's own violations are in it
        assert refused(path.read_text())
    else:
        assert not refused(path.read_text())


@pytest.mark.parametrize(
    "broken",
    [
        "method: griid",
        "method:",
        "run_cap: 0",
        "seed: -1",
        "parameters: {}",
        "parameters: {lr: 0.1}",
        "parameters: {lr: {min: 1}}",
        "parameters: {lr: {disribution: normal, min: 0, max: 1}}",
        "parameters: {lr: {distribution: q_uniform, min: 0, max: 1, q: 0}}",
        "parameters: {lr: {values: []}}",
        "metric: {goal: max}",
        "limits: {active: 0}",
        "limits: {actve: 1}",
        "limits: {failures: 10 percent}",
        "limits: {gpus: 0}",
        "retry: {application: -1}",
        "retry: {application: {backoff: 3}}",
        "timeouts: {running: soon}",
        "resume: {user_suspended: ignore}",
        "cleanup: never",
        "points: 3",
        "zip: [[a]]",
        "training: {project: a}",
        "objective: mlflow",
        "notify: [x]",
        "order: random",
    ],
)
def test_what_can_never_run_is_refused(broken: str) -> None:
    kept: Any = load(PLAIN).root.plain()
    changed: Any = load(broken).root.plain()

    found = list(VALIDATOR.iter_errors({**kept, **changed}))

    assert found


@pytest.mark.parametrize(
    "fine",
    ["cleanup: keep", "cleanup: {after: 3d}", "limits: {failures: 10%, deadline: 90}", "notes: x"],
)
def test_every_way_to_write_a_thing_passes(fine: str) -> None:
    assert not refused(PLAIN + fine)


def test_every_key_is_described() -> None:
    missing = [path for path, described in keys_of(SCHEMA, "") if not described]

    assert missing == []
    assert set(SCHEMA["properties"]) == set(Document.model_fields)


def keys_of(schema: Any, path: str) -> Iterator[tuple[str, bool]]:
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}.{name}", "description" in inner
    for name, inner in schema.get("$defs", {}).items():
        yield from keys_of(inner, name)
