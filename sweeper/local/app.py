"""The HTTP face of the local control plane: an ASGI application without a lifespan."""

import logging

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from sweeper.errors import StoreError
from sweeper.local.engine import ClosedError
from sweeper.local.filters import QueryError
from sweeper.local.requests import RequestError
from sweeper.local.site import Site
from sweeper.local.token_routes import BearerGate, token_routes
from sweeper.local.training_routes import training_routes
from sweeper.local.workload_routes import workload_routes
from sweeper.wire.answers import Error

logger = logging.getLogger(__name__)


def build_app(site: Site) -> ASGIApp:
    """Return the application; every error it answers with is `{code, message}`."""
    return Starlette(
        # In this order: a training's path would pass for that of a workload called so.
        routes=[*token_routes(site.tokens), *training_routes(site), *workload_routes(site)],
        middleware=[Middleware(BearerGate, tokens=site.tokens)],
        exception_handlers={
            RequestError: _refused,
            QueryError: _senseless,
            HTTPException: _undeclared,
            ClosedError: _unavailable,
            StoreError: _unavailable,
        },
    )


async def _refused(request: Request, error: Exception) -> Response:
    del request
    status, message = (
        (error.status, error.message) if isinstance(error, RequestError) else (500, "")
    )
    return _error(status, message)


async def _senseless(request: Request, error: Exception) -> Response:
    del request
    return _error(400, str(error))


async def _undeclared(request: Request, error: Exception) -> Response:
    del request
    if not isinstance(error, HTTPException):
        return _error(500, "")
    response = _error(error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


async def _unavailable(request: Request, error: Exception) -> Response:
    logger.error("%s %s cannot be served: %s", request.method, request.url.path, error)
    return _error(503, "The control plane is closing, or its state cannot be used.")


def _error(status: int, message: str) -> Response:
    return JSONResponse(Error(code=status, message=message).answer(), status)
