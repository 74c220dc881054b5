"""The HTTP face of the local control plane: an ASGI application without a lifespan."""

import logging

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from sweeper.errors import StoreError
from sweeper.local.describing import description_route
from sweeper.local.filters import QueryError
from sweeper.local.live import ClosedError
from sweeper.local.requests import RequestError
from sweeper.local.site import Extension, Site
from sweeper.local.token_routes import BearerGate, token_routes
from sweeper.local.training_routes import training_routes
from sweeper.local.workload_routes import wider_routes
from sweeper.wire.answers import Error

logger = logging.getLogger(__name__)

_ANSWERED = (RequestError, QueryError, HTTPException, ClosedError, StoreError)


NOTHING = Extension()


def build_app(site: Site, extension: Extension = NOTHING) -> ASGIApp:
    """Return the application; every error it answers with is `{code, message}`."""
    wider = wider_routes(site) if site.switches.has_wider_api else ()
    app = Starlette(
        routes=[
            *extension.routes,
            description_route(),
            *token_routes(site.tokens, site.switches.token_endpoints),
            # In this order: a training's path would pass for that of a workload called so.
            *training_routes(site),
            *wider,
        ],
        middleware=[*extension.middleware, Middleware(BearerGate, tokens=site.tokens)],
        exception_handlers=dict.fromkeys(_ANSWERED, _answer),
    )
    # The API has no path that ends in a slash, and redirects nobody.
    app.router.redirect_slashes = False
    return extension.wrap(app)


async def _answer(request: Request, error: Exception) -> Response:
    """Return the answer that stands for an error of these classes."""
    match error:
        case RequestError():
            return _error(error.status, error.message)
        case QueryError():
            return _error(400, str(error))
        case HTTPException():
            response = _error(error.status_code, str(error.detail))
            response.headers.update(error.headers or {})
            if error.status_code == 405:
                response.headers["Allow"] = _allowed(request)
            return response
        case _:
            logger.error("%s %s cannot be served: %s", request.method, request.url.path, error)
            return _error(503, "The control plane is closing, or its state cannot be used.")


def _allowed(request: Request) -> str:
    """Return the methods of a path; Starlette names those of its first route alone."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    fitting = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in fitting for method in route.methods or ()}))


def _error(status: int, message: str) -> Response:
    return JSONResponse(Error(code=status, message=message).answer(), status)
