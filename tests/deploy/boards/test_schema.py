"""The boards against Grafana's own types, made into JSON Schemas by ts-json-schema-generator."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.deploy.boards.asking import FILES, load, panels

pytestmark = pytest.mark.needs("npm", "node")

HERE = Path(__file__).parent / "schema"

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

OF_PROMETHEUS = frozenset({"expr", "step", "titleFormat", "textFormat", "useValueForTime"})
"""What the data source adds to an annotation; Grafana's types leave that open."""

boards = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)

Schemas = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    environment = {"NODE_EXTRA_CA_CERTS": CERTIFICATES, **os.environ}
    install = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(install, cwd=HERE, env=environment, check=True)
    made = subprocess.run(["node", "write.mjs"], cwd=HERE, stdout=subprocess.PIPE, check=True)
    written: Schemas = json.loads(made.stdout)
    return {name: _of_saved(schema) for name, schema in written.items()}


def _of_saved(schema: Any) -> Any:
    """Return a schema of what is saved: Grafana fills in what is left out."""
    if isinstance(schema, dict):
        return {key: _of_saved(value) for key, value in schema.items() if key != "required"}
    return [_of_saved(item) for item in schema] if isinstance(schema, list) else schema


def faults(schemas: Schemas, board: dict[str, Any]) -> Iterator[str]:
    """Return what of a board Grafana's types do not know."""
    for mark in board["annotations"]["list"]:
        for name in OF_PROMETHEUS & set(mark):
            del mark[name]
    yield from _faults(schemas["board"], board, "")
    for panel in panels(board):
        kind, title = panel["type"].replace("-", ""), panel["title"]
        yield from _faults(schemas[f"{kind} options"], panel["options"], title)
        custom = panel["fieldConfig"]["defaults"].get("custom")
        if custom is not None:
            yield from _faults(schemas[f"{kind} custom"], custom, title)
        for override in panel["fieldConfig"]["overrides"]:
            changed = {
                item["id"].removeprefix("custom."): item["value"]
                for item in override["properties"]
                if item["id"].startswith("custom.")
            }
            yield from _faults(schemas[f"{kind} custom"], changed, title) if changed else ()


def _faults(schema: Mapping[str, Any], value: object, where: str) -> Iterator[str]:
    for error in Draft7Validator(schema).iter_errors(value):
        yield f"{where}{error.json_path[1:]}: {error.message[:300]}"


@boards
def test_a_board_is_what_grafana_s_types_say(file: Path, schemas: Schemas) -> None:
    assert list(faults(schemas, load(file))) == []


def test_a_word_that_grafana_does_not_know_is_found(schemas: Schemas) -> None:
    board = load(FILES[0])
    panel = next(panel for panel in panels(board) if panel["type"] == "timeseries")
    board["refreshh"] = "30s"
    panel["options"]["legend"]["placement"] = "above"
    panel["fieldConfig"]["defaults"]["custom"]["lineWidth"] = "thick"

    found = "\n".join(faults(schemas, board))

    assert "refreshh" in found
    assert "above" in found
    assert "thick" in found
