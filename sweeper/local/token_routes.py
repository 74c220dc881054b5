"""The token calls, v1 and v2, and the gate that asks for their tokens everywhere else."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sweeper.local.describing import OPENAPI
from sweeper.local.requests import RequestError, read_body
from sweeper.local.switches import TokenEndpoints
from sweeper.local.token_requests import ClientGrant, TokenRequestError, read_v1, read_v2
from sweeper.local.tokens import CredentialsError, Tokens
from sweeper.wire.answers import Error
from sweeper.wire.tokens import OAuthError, OAuthTokenReply, TokenReply

TOKEN_V1 = "/api/v1/token"  # noqa: S105 - a path
TOKEN_V2 = "/api/v2/token"  # noqa: S105 - a path


def token_routes(tokens: Tokens, endpoints: TokenEndpoints) -> Sequence[Route]:
    """Return the routes of the token calls that there are."""

    async def v1(request: Request) -> Response:
        try:
            granted = tokens.grant(read_v1(await read_body(request)))
        except TokenRequestError as error:
            raise RequestError(400, str(error)) from error
        except CredentialsError as error:
            raise RequestError(401, str(error)) from error
        reply = TokenReply(
            access_token=granted.token,
            expires_in=granted.seconds,
            refresh_token=granted.refresh_token,
        )
        return _unstored(reply)

    async def v2(request: Request) -> Response:
        try:
            grant = read_v2(await read_body(request))
            granted = tokens.grant(grant)
        except TokenRequestError as error:
            return _refusal("invalid_request", str(error), 400)
        except CredentialsError as error:
            return _refusal("invalid_client", str(error), 401)
        is_service = isinstance(grant, ClientGrant) and not grant.is_user
        reply = OAuthTokenReply(
            access_token=granted.token,
            expires_in=granted.seconds,
            # OAuth gives none to a client that has a secret to show anyway.
            refresh_token=None if is_service else granted.refresh_token,
        )
        return _unstored(reply)

    routes = []
    if endpoints is not TokenEndpoints.V2:
        routes.append(Route(TOKEN_V1, v1, methods=["POST"]))
    if endpoints is not TokenEndpoints.V1:
        routes.append(Route(TOKEN_V2, v2, methods=["POST"]))
    return routes


class BearerGate:
    """Lets through what carries a good token, and what asks for one or for the description."""

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer 401."""
        if scope["type"] != "http" or self._is_open(scope):
            await self._app(scope, receive, send)
            return
        message = "The bearer token is missing, wrong or expired: get a new one"
        await JSONResponse(Error(code=401, message=message).answer(), 401)(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        if scope["path"] in {TOKEN_V1, TOKEN_V2, OPENAPI}:
            return True
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._tokens.is_good(token.strip())


def _unstored(reply: TokenReply | OAuthTokenReply) -> Response:
    return JSONResponse(reply.answer(), headers={"Cache-Control": "no-store"})


def _refusal(error: str, description: str, status: int) -> Response:
    return JSONResponse(OAuthError(error=error, error_description=description).answer(), status)
