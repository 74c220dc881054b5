"""Bearer tokens on every request: shared by all calls, renewed in time, once for everybody."""

import asyncio
from collections.abc import AsyncGenerator

import httpx

from sweeper.errors import AuthError, ControlPlaneError, TransientError
from sweeper.runai.operations import Observer
from sweeper.runai.retrying import TokenUnavailableError
from sweeper.runai.tokens import Token, TokenSource, TokenVersion
from sweeper.runai.transport import EXTENSION, Bounds


class _Renewal:
    """One token call under way, on which others wait; no result means: try yourself."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.token: Token | None = None
        self.error: ControlPlaneError | None = None


class TokenAuth(httpx.Auth):
    """Puts a token on each request, and replays a request once when its token was refused.

    However many requests need a new token at once, one call is made. A call that fails, fails for
    those who waited on it, and the next request tries again; whoever makes the call and is
    cancelled leaves it to one of those who wait.
    """

    def __init__(self, source: TokenSource, observer: Observer | None = None) -> None:
        self._source = source
        self._observer = observer or Observer()
        self._token: Token | None = None
        self._renew_at = 0.0
        self._renewal: _Renewal | None = None
        self._shown: tuple[str, ...] = ()

    @property
    def expires_at(self) -> float | None:
        """When the present token expires, in the event loop's time; None without a token."""
        return self._token.expires_at if self._token else None

    @property
    def version(self) -> TokenVersion | None:
        """Which token call gave the newest token, None where none was made."""
        return self._source.version

    async def sign_in(self, deadline: float) -> None:
        """Get a token unless there is one already; raises as `async_auth_flow` does."""
        await self._usable(deadline)

    def secrets(self) -> tuple[str, ...]:
        """Return the texts that must be hidden wherever a server repeats them."""
        return (*self._source.secrets(), *self._shown)

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token, and once more with a newer one after a 401.

        Raises:
            AuthError: there is no token to be had with these credentials.
            TokenUnavailableError: there is none at the moment; the request had no effect.
        """
        bounds: Bounds = request.extensions[EXTENSION]
        token = await self._usable(bounds.deadline)
        request.headers["Authorization"] = f"Bearer {token.text}"
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        # Unread, the answer would hold its connection while the token call waits for one.
        await response.aread()
        newer = await self._newer_than(token, bounds.deadline)
        request.headers["Authorization"] = f"Bearer {newer.text}"
        yield request

    async def _usable(self, deadline: float) -> Token:
        """Return the present token, renewed first when its time has come."""
        loop = asyncio.get_running_loop()
        token, now = self._token, loop.time()
        if token is None or now >= token.expires_at:
            return await self._newer_than(token, deadline)
        if now < self._renew_at or self._renewal is not None:
            return token
        try:
            # The call itself needs time, too, should the renewal come to nothing.
            return await self._newer_than(token, (now + deadline) / 2)
        except ControlPlaneError:
            if loop.time() >= token.expires_at:
                raise
        # Half of what is left of its life is early enough to try again.
        self._renew_at = (loop.time() + token.expires_at) / 2
        return token

    async def _newer_than(self, stale: Token | None, deadline: float) -> Token:
        """Return a token other than `stale`: one that has come since, or one made now."""
        while True:
            if self._token is not None and self._token is not stale:
                return self._token
            renewal = self._renewal
            if renewal is None:
                return await self._renew(deadline)
            await _wait(renewal, deadline)
            if renewal.error is not None:
                raise _copy(renewal.error)
            if renewal.token is not None:
                return renewal.token

    async def _renew(self, deadline: float) -> Token:
        """Make the token call, for us and for all who wait."""
        renewal = self._renewal = _Renewal()
        try:
            renewal.token = await self._source.fetch(deadline)
        except AuthError as error:
            renewal.error = error
            raise
        except ControlPlaneError as error:
            renewal.error = TokenUnavailableError(
                f"no token: {error}", retry_after=getattr(error, "retry_after", None)
            )
            raise renewal.error from error
        finally:
            self._renewal = None
            renewal.over.set()
        self._token, self._renew_at = renewal.token, renewal.token.renew_at
        # A request sent with the token before this one may still be answered.
        self._shown = (*self._shown[-1:], renewal.token.text)
        self._observer.on_token(renewal.token.expires_at - asyncio.get_running_loop().time())
        return renewal.token


async def _wait(renewal: _Renewal, deadline: float) -> None:
    """Wait for somebody else's token call."""
    try:
        async with asyncio.timeout_at(deadline):
            await renewal.over.wait()
    except TimeoutError:
        raise TokenUnavailableError("no token came until the deadline") from None


def _copy(error: ControlPlaneError) -> ControlPlaneError:
    """Return an error of its own for one of several who share a failure."""
    if isinstance(error, TransientError):
        return TokenUnavailableError(str(error), retry_after=error.retry_after)
    return AuthError(str(error))
