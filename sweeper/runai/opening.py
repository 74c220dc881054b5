"""A connection to a control plane, from its address and credentials to its closing."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from sweeper.ports import Now
from sweeper.runai.auth import TokenAuth
from sweeper.runai.base_url import check_base_url
from sweeper.runai.calls import DEADLINE_SECONDS, Calls, MakeCall, Sender
from sweeper.runai.client import RunaiControlPlane
from sweeper.runai.directory import Directory
from sweeper.runai.gate import EMBEDDED, GatePolicy
from sweeper.runai.operations import Observer
from sweeper.runai.tokens import (
    ClientCredentialsSource,
    Credentials,
    FixedToken,
    FixedTokenSource,
    TokenVersion,
)
from sweeper.runai.transport import BoundedTransport, build_transport, tls_context

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "sweeper",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a control plane is, and who calls.

    With `transport` given (such as an ASGITransport, for one inside this process) nothing goes
    over the network, `base_url` is taken as it is, and `ca_file` is not used.
    `likely_version` is the token call that is tried first where `token_version` leaves the choice.
    `deadline_seconds` bounds every call as a whole. Without `gate`, a host is treated as
    `GatePolicy` says, and one behind a given `transport` without a limit to its rate.
    """

    base_url: str
    credentials: Credentials | FixedToken
    token_version: TokenVersion = TokenVersion.AUTO
    likely_version: TokenVersion | None = None
    ca_file: Path | None = None
    transport: httpx.AsyncBaseTransport | None = None
    deadline_seconds: float = DEADLINE_SECONDS
    gate: GatePolicy | None = None


class Connection:
    """Everything that one set of credentials can reach on one control plane."""

    def __init__(
        self, calls: Calls, auth: TokenAuth, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        self.make: MakeCall = partial(calls.make, auth=auth)
        self._auth = auth
        self._deadline_seconds = deadline_seconds
        self.directory = Directory(self.make)

    async def sign_in(self) -> None:
        """Get a token, which is otherwise done by the first call that needs one.

        Raises:
            AuthError: there is no token to be had with these credentials.
            TransientError: not now.
        """
        await self._auth.sign_in(asyncio.get_running_loop().time() + self._deadline_seconds)

    @property
    def token_version(self) -> TokenVersion | None:
        """Which token call this control plane has; None before the first, or with a fixed token."""
        return self._auth.version

    def control_plane(self, project_id: str) -> RunaiControlPlane:
        """Return the trainings of one project.

        Raises:
            SettingsError: `project_id` cannot be an id.
        """
        return RunaiControlPlane(self.make, project_id)

    @property
    def token_expires_in(self) -> float | None:
        """Seconds until the present token expires, negative afterwards; None without a token."""
        expires_at = self._auth.expires_at
        return None if expires_at is None else expires_at - asyncio.get_running_loop().time()


@asynccontextmanager
async def open_runai(
    address: Address, *, now: Now, rng: random.Random, observer: Observer | None = None
) -> AsyncIterator[Connection]:
    """Open a connection; nothing is sent before the first call.

    Raises:
        SettingsError: the base URL or the CA file cannot be used.
    """
    observer = observer or Observer()
    base_url, transport = _reach(address, observer)
    async with httpx.AsyncClient(
        base_url=base_url,
        transport=transport,
        headers=_HEADERS,
        trust_env=False,
        follow_redirects=False,
    ) as client:
        calls = Calls(
            Sender(client, now=now),
            rng=rng,
            observer=observer,
            policy=address.gate or (EMBEDDED if address.transport else GatePolicy()),
            deadline_seconds=address.deadline_seconds,
        )
        yield Connection(calls, _auth(address, calls, observer), address.deadline_seconds)


def _reach(address: Address, observer: Observer) -> tuple[str, BoundedTransport]:
    """Return the base URL and the transport that leads there."""
    given = address.transport
    if given is not None:
        return address.base_url, BoundedTransport(lambda: given, keep=True, observer=observer)
    base_url = check_base_url(address.base_url)
    build = partial(build_transport, tls_context(address.ca_file))
    return base_url, BoundedTransport(build, observer=observer)


def _auth(address: Address, calls: Calls, observer: Observer) -> TokenAuth:
    """Return what puts tokens on requests."""
    credentials = address.credentials
    if isinstance(credentials, FixedToken):
        return TokenAuth(FixedTokenSource(credentials), observer)
    return TokenAuth(
        ClientCredentialsSource(
            credentials, calls.grant, address.token_version, address.likely_version
        ),
        observer,
    )
