"""The contract as it is given to others, with additions that it leaves open."""

import json
from typing import Any

from tests.outside.servers import CLUSTER_ID, CONTRACT, PROJECT_ID, TRAININGS

_NO_TYPE = ("WorkloadCreationMeta1", "TrainingSpec", "WorkloadMeta1", "Error", "HttpResponse")


def contract() -> dict[str, Any]:
    """Return the contract as it is."""
    found: dict[str, Any] = json.loads(CONTRACT.read_text(encoding="utf-8"))
    return found


def contract_of_this_place() -> dict[str, Any]:
    """Return the contract with what is known of the server: its project, its cluster, its names.

    Bodies drawn from it are good enough to create trainings that stay, and links lead from there
    to the other operations.
    """
    made = contract()
    schemas = made["components"]["schemas"]
    for name in _NO_TYPE:
        schemas[name]["type"] = "object"
    schemas["ProjectId2"]["enum"] = [PROJECT_ID]
    schemas["ClusterId"]["enum"] = [CLUSTER_ID]
    # One that is deleted as soon as it ends may be gone before it is asked for.
    schemas["AdvancedFlatFields"]["properties"]["autoDeletionTimeAfterCompletionSeconds"][
        "minimum"
    ] = 3600
    schemas["WorkloadName"]["pattern"] = "^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$"
    create = made["paths"][TRAININGS]["post"]
    create["requestBody"]["required"] = True
    create["responses"]["202"]["links"] = {
        operation_id: {
            "operationId": operation_id,
            "parameters": {"workloadId": "$response.body#/workloadId"},
        }
        for path, operations in made["paths"].items()
        for operation_id in (one["operationId"] for one in operations.values())
        if path != TRAININGS
    }
    return made


def contract_with_tokens() -> dict[str, Any]:
    """Return the contract with the calls for a token, which it leaves to another document."""
    made = contract()
    for path, kind in (
        ("/api/v1/token", "application/json"),
        ("/api/v2/token", "application/x-www-form-urlencoded"),
    ):
        answers = {"description": "", "content": {"application/json": {"schema": {}}}}
        made["paths"][path] = {
            "post": {
                "security": [],
                "requestBody": {"content": {kind: {"schema": {"type": "object"}}}},
                "responses": {"200": answers},
            }
        }
    return made
