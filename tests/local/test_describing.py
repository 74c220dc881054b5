"""Holds the control plane's own description against the contract."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from sweeper.local.describing import OPENAPI, description
from tests.local.planes import world
from tests.wire.contract import flat, leaves

_FILE = Path(__file__).parents[1] / "data" / "trainings-openapi.json"
CONTRACT: Mapping[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
KEYS = ("type", "enum", "pattern", "minimum", "maximum", "required")
METHODS = ("get", "post", "put", "patch", "delete")

Operation = tuple[str, str, Mapping[str, Any]]


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        yield from ((path, method, item[method]) for method in METHODS if method in item)


def resolved(document: Mapping[str, Any], value: Any) -> Any:
    """Follow a reference to a whole object of the document."""
    while "$ref" in value:
        found: Any = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        value = found
    return value


def schema(document: Mapping[str, Any], holder: Any) -> dict[str, Any]:
    """Return what a body's schema says of each place in it, but for whether null may be there."""
    said = resolved(document, holder)["content"]["application/json"]["schema"]
    found = dict(leaves(flat(said, document["components"]["schemas"])))
    return {
        path: {key: leaf[key] for key in KEYS}
        for path, leaf in found.items()
        if path == "" or not path.startswith("spec")
    }


def test_the_operations_are_the_contracts() -> None:
    ours = {(path, method): one["operationId"] for path, method, one in operations(description())}
    contracts = {(path, method): one["operationId"] for path, method, one in operations(CONTRACT)}

    assert ours == contracts


THEIRS = {(path, method): one for path, method, one in operations(CONTRACT)}
OURS = {(path, method): one for path, method, one in operations(description())}
ANSWERS = [(*key, code) for key, one in THEIRS.items() for code in one["responses"]]


@pytest.mark.parametrize(("path", "method"), THEIRS)
def test_an_operation_has_the_contracts_codes(path: str, method: str) -> None:
    assert set(OURS[path, method]["responses"]) == set(THEIRS[path, method]["responses"])


@pytest.mark.parametrize(("path", "method", "code"), ANSWERS)
def test_an_answer_has_the_contracts_schema(path: str, method: str, code: str) -> None:
    ours = schema(description(), OURS[path, method]["responses"][code])

    assert ours == schema(CONTRACT, THEIRS[path, method]["responses"][code])


def test_the_body_of_a_create_is_the_contracts() -> None:
    key = ("/api/v1/workloads/trainings", "post")
    bodies = []
    for document, found in ((description(), OURS), (CONTRACT, THEIRS)):
        said = found[key]["requestBody"]["content"]["application/json"]["schema"]
        bodies.append(dict(leaves(flat(said, document["components"]["schemas"]))))

    assert bodies[0] == bodies[1]


async def test_the_description_needs_no_token(tmp_path: Path) -> None:
    async with world(tmp_path).open() as client:
        assert client.plane is not None
        transport = httpx.ASGITransport(app=client.plane.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://local") as http:
            answer = await http.get(OPENAPI)

    assert answer.json() == json.loads(json.dumps(description()))
