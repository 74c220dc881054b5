"""The control plane's own description of the five operations, made from the models it uses."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sweeper.wire.answers import Error, HttpResponse, SubmissionError, Training
from sweeper.wire.training import TrainingCreationRequest

OPENAPI = "/openapi.json"

_TRAININGS = "/api/v1/workloads/trainings"
_ONE = f"{_TRAININGS}/{{workloadId}}"
_ANSWERS: tuple[type[BaseModel], ...] = (Training, SubmissionError, Error, HttpResponse)
_REFUSALS = {
    "401": "The token is missing, wrong or expired.",
    "403": "This client may not do that.",
    "404": "There is no such training.",
    "500": "Something went wrong.",
    "503": "Try again later.",
}


def description_route() -> Route:
    """Return the route of the description, which needs no token."""

    async def describe(request: Request) -> Response:
        del request
        return JSONResponse(description())

    return Route(OPENAPI, describe, methods=["GET"])


@cache
def description() -> Mapping[str, Any]:
    """Return the description, an OpenAPI 3.1 document."""
    described: list[type[BaseModel]] = [TrainingCreationRequest, *_ANSWERS]
    _, schemas = models_json_schema(
        [(model, "validation") for model in described],
        ref_template="#/components/schemas/{model}",
    )
    for model in _ANSWERS:
        schemas["$defs"][model.__name__]["required"] = _always_sent(model)
    create = {
        **_operation("create_training1", {"202": Training, "400": SubmissionError}, "401 403 503"),
        "requestBody": {"required": True, "content": _content(TrainingCreationRequest)},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Trainings API of a local control plane", "version": "2.21"},
        "security": [{"bearerAuth": []}],
        "paths": {
            _TRAININGS: {"post": create},
            _ONE: {
                "parameters": [_WORKLOAD_ID],
                "get": _on_one("get_training", {"200": Training}),
                "delete": _on_one("delete_training", {"202": HttpResponse}),
            },
            f"{_ONE}/suspend": _command("suspend_training"),
            f"{_ONE}/resume": _command("resume_training"),
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _always_sent(model: type[BaseModel]) -> list[str]:
    """Return the members that every answer of this model has: none that may be None."""
    fields = model.model_fields.items()
    return [
        field.alias or name
        for name, field in fields
        if field.is_required() or field.default is not None
    ]


_WORKLOAD_ID = {
    "name": "workloadId",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}


def _command(name: str) -> dict[str, Any]:
    return {"parameters": [_WORKLOAD_ID], "post": _on_one(name, {"202": HttpResponse})}


def _on_one(name: str, answers: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    return _operation(name, answers, "401 403 404 500 503")


def _operation(name: str, answers: Mapping[str, type[BaseModel]], refusals: str) -> dict[str, Any]:
    responses: dict[str, Any] = {
        status: {"description": (model.__doc__ or "").split("\n")[0], "content": _content(model)}
        for status, model in answers.items()
    }
    for status in refusals.split():
        responses[status] = {"description": _REFUSALS[status], "content": _content(Error)}
    return {"operationId": name, "responses": responses}


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
