"""The transport below httpx's client: every answer bounded in time and size, a sick pool replaced.

Everything that a client reads passes here, also what httpx reads by itself between a 401 and its
replay, so these bounds cannot be forgotten.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import httpx

from sweeper.errors import SettingsError
from sweeper.runai.classify import OversizedError
from sweeper.runai.gate import SLOTS
from sweeper.runai.operations import Observer, Operation

CONNECT_SECONDS = 5.0
_KEEPALIVE_SECONDS = 30.0

# The only headers that we act on. Without the rest there are no cookies to keep, no redirect to
# prepare, and no content-encoding that would turn a small body into a huge one.
_HEADERS = (b"date", b"retry-after", b"content-type")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one exchange may cost; `deadline` is in the event loop's time."""

    operation: Operation
    deadline: float
    max_bytes: int


EXTENSION = "sweeper.bounds"
"""The key of the `Bounds` in a request's extensions."""


def build_transport(context: ssl.SSLContext, *, slots: int = SLOTS) -> httpx.AsyncHTTPTransport:
    """Return a transport over sockets with as many connections as there are slots in the gate."""
    return httpx.AsyncHTTPTransport(
        verify=context,
        trust_env=False,
        retries=0,
        limits=httpx.Limits(
            max_connections=slots,
            max_keepalive_connections=slots,
            keepalive_expiry=_KEEPALIVE_SECONDS,
        ),
    )


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return a context that trusts `ca_file`, or else the usual authorities, and always verifies.

    It speaks TLS 1.2 or newer and writes no key log.

    Raises:
        SettingsError: `ca_file` cannot be read or holds no certificate.
    """
    try:
        if ca_file is None:
            context = httpx.create_ssl_context(trust_env=False)
        else:
            context = ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:
        raise SettingsError(
            f"CA file {str(ca_file)!r} cannot be used ({error}); give a PEM file of certificates"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Both ways above obey SSLKEYLOGFILE, which would let a bystander read the token.
    context.keylog_filename = None  # type: ignore[assignment] # None switches it off
    return context


@dataclass(slots=True, eq=False)
class _Pool:
    """A transport and how many exchanges are under way on it."""

    transport: httpx.AsyncBaseTransport
    exchanges: int = 0


class BoundedTransport(httpx.AsyncBaseTransport):
    """Wraps the transport that `build` makes, and has it made anew when it may have lost slots.

    A cancelled exchange can cost httpcore a place in its pool for good, so per-operation timeouts
    do the work and cancelling is the last resort. After one, and after a pool that had no place
    left although the gate admits no more calls than there are places, the next exchange starts
    on a fresh transport and the old one is closed once nothing is under way on it. With
    `keep=True` the one transport is kept whatever happens, as one without a pool should be.
    """

    def __init__(
        self,
        build: Callable[[], httpx.AsyncBaseTransport],
        *,
        keep: bool = False,
        observer: Observer | None = None,
    ) -> None:
        self._build = build
        self._keep = keep
        self._observer = observer or Observer()
        self._pool: _Pool | None = None
        self._retired: list[_Pool] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request that carries `Bounds`, within them."""
        bounds: Bounds = request.extensions[EXTENSION]
        await self._close_retired()
        if self._pool is None:
            self._pool = _Pool(self._build())
        exchange = _Exchange(bounds, self._pool, self._observer, self._retire)
        response = await exchange.open(request)
        # As bytes: text that was decoded from anything but ASCII makes no header again.
        headers = [pair for pair in response.headers.raw if pair[0].lower() in _HEADERS]
        return httpx.Response(
            response.status_code, headers=headers, stream=_BoundedStream(exchange, response)
        )

    async def aclose(self) -> None:
        """Close every transport, also one that has exchanges under way."""
        pools = [*self._retired, *([self._pool] if self._pool else [])]
        self._pool, self._retired = None, []
        for pool in pools:
            await pool.transport.aclose()

    def _retire(self, pool: _Pool) -> None:
        """Let no further exchange begin on `pool`."""
        if self._pool is pool and not self._keep:
            self._pool = None
            self._retired.append(pool)

    async def _close_retired(self) -> None:
        """Close the retired transports that nothing is under way on."""
        idle = [pool for pool in self._retired if pool.exchanges == 0]
        self._retired = [pool for pool in self._retired if pool.exchanges]
        for pool in idle:
            await pool.transport.aclose()


class _Exchange:
    """One request and its answer, from the first byte out to the last byte in."""

    def __init__(
        self, bounds: Bounds, pool: _Pool, observer: Observer, retire: Callable[[_Pool], None]
    ) -> None:
        self.bounds = bounds
        self._pool = pool
        self._observer = observer
        self._retire = retire
        self._started = asyncio.get_running_loop().time()
        self._ended = False
        pool.exchanges += 1

    async def open(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return the answer with its body unread."""
        left = self.bounds.deadline - self._started
        with self.watched():
            if left <= 0:
                raise httpx.ConnectTimeout("no time is left", request=request)
            request.extensions["timeout"] = _timeouts(left)
            async with self.deadline():
                return await self._pool.transport.handle_async_request(request)

    @asynccontextmanager
    async def deadline(self) -> AsyncIterator[None]:
        """Cut short what still waits at the deadline, as a read that took too long."""
        try:
            async with asyncio.timeout_at(self.bounds.deadline):
                yield
        except TimeoutError:
            self._retire(self._pool)
            raise httpx.ReadTimeout("the deadline of the call has passed") from None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """End the exchange when its work raises, and give up a pool that lost a slot by it."""
        try:
            yield
        except BaseException as error:
            if isinstance(error, (httpx.PoolTimeout, asyncio.CancelledError)):
                self._retire(self._pool)
            self.end(_word(error))
            raise

    def end(self, status: str) -> None:
        """Count the exchange as over; only the first call has an effect."""
        if self._ended:
            return
        self._ended = True
        self._pool.exchanges -= 1
        seconds = asyncio.get_running_loop().time() - self._started
        self._observer.on_request(self.bounds.operation, status, seconds)


class _BoundedStream(httpx.AsyncByteStream):
    """The body of an answer, as far as the bounds of its exchange allow."""

    def __init__(self, exchange: _Exchange, response: httpx.Response) -> None:
        self._exchange = exchange
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._exchange.watched():
            left = self._exchange.bounds.max_bytes
            parts = aiter(cast("httpx.AsyncByteStream", self._response.stream))
            while (part := await self._next(parts)) is not None:
                left -= len(part)
                if left < 0:
                    raise OversizedError("the answer goes on beyond what is read")
                yield part

    async def aclose(self) -> None:
        """Let the connection go."""
        try:
            await self._response.aclose()
        finally:
            self._exchange.end(str(self._response.status_code))

    async def _next(self, parts: AsyncIterator[bytes]) -> bytes | None:
        """Return the next bytes that arrive, None at the end."""
        async with self._exchange.deadline():
            return await anext(parts, None)


def _timeouts(left: float) -> dict[str, float]:
    """Return httpx's own timeouts, which should end a call before the deadline cancels it."""
    patience = 0.95 * left
    connect = min(CONNECT_SECONDS, patience)
    return {"connect": connect, "pool": connect, "read": patience, "write": patience}


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (httpx.ConnectError, "connect"),
    (httpx.ConnectTimeout, "connect"),
    (httpx.PoolTimeout, "pool"),
    (httpx.TimeoutException, "timeout"),
    (OversizedError, "oversized"),
    (httpx.NetworkError, "network"),
    (httpx.ProtocolError, "protocol"),
    (asyncio.CancelledError, "cancelled"),
)


def _word(error: BaseException) -> str:
    """Return the word that stands in a metric for an exchange without an answer."""
    return next((word for fits, word in _WORDS if isinstance(error, fits)), "error")
