"""The calls by which a test changes what goes wrong, while the control plane runs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sweeper.local.faults.drawing import Faults
from sweeper.local.faults.plan import (
    PLAN_SHAPE,
    Delete,
    ExpireTokens,
    LoseNode,
    Preempt,
    RuleStop,
    Suspend,
    parse_plan,
)
from sweeper.local.faults.weather import Weather
from sweeper.local.requests import RequestError, read_body
from sweeper.local.yaml_files import PlaneFileError, parse_yaml

FAULTS = "/admin/faults"

MISFORTUNES: Mapping[str, TypeAdapter[Any]] = MappingProxyType(
    {
        "preempt": TypeAdapter(Preempt),
        "suspend": TypeAdapter(Suspend),
        "rule-stop": TypeAdapter(RuleStop),
        "delete": TypeAdapter(Delete),
        "lose-node": TypeAdapter(LoseNode),
        "expire-tokens": TypeAdapter(ExpireTokens),
    }
)
"""What can be made to happen, by the last word of its path; the body has its fields."""


def admin_routes(faults: Faults, weather: Weather) -> Sequence[Route]:
    """Return the routes: the plan in force, read and replaced, and one for each misfortune."""

    async def show(request: Request) -> Response:
        del request
        return JSONResponse(_shown(faults))

    async def replace(request: Request) -> Response:
        content = await read_body(request)
        try:
            plan = parse_plan(content, "body")
        except PlaneFileError as error:
            raise RequestError(400, str(error)) from error
        faults.replace(plan)
        return JSONResponse(_shown(faults))

    strikes = [
        Route(f"/admin/{word}", _strike(weather, shape), methods=["POST"])
        for word, shape in MISFORTUNES.items()
    ]
    return [
        Route(FAULTS, show, methods=["GET"]),
        Route(FAULTS, replace, methods=["PUT"]),
        *strikes,
    ]


def _strike(weather: Weather, shape: TypeAdapter[Any]) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that lets a misfortune of this shape happen at once."""

    async def endpoint(request: Request) -> Response:
        content = await read_body(request)
        try:
            misfortune = parse_yaml(content, "body", shape)
        except PlaneFileError as error:
            raise RequestError(400, str(error)) from error
        return JSONResponse({"hit": await weather.strike(misfortune)})

    return endpoint


def _shown(faults: Faults) -> Mapping[str, Any]:
    return {"plan": PLAN_SHAPE.dump_python(faults.plan, mode="json"), **faults.report()}
