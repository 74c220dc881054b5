"""Ask a daemon, or an opened store in-process, what the verbs show."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import httpx

from sweeper.domain.values import Params, plain
from sweeper.errors import DaemonGoneError, StoreError, UserError

JsonObject: TypeAlias = dict[str, Any]

_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 15.0
_PAGE = 1000
_NOT_OURS = "what answers in the place of the daemon is something else"
_BASE_URL = "http://sweeper"


class VerbsClient:
    """Speaks to `verbs_app` over `transport`; an async context manager.

    Every method may raise `DaemonGoneError` (nobody answers), `StoreError` (the daemon cannot
    use its store), and `UserError` (the request was refused: the message says why).
    """

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._client = httpx.AsyncClient(
            transport=transport,
            base_url=_BASE_URL,
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            trust_env=False,
        )

    @classmethod
    def at_socket(cls, path: Path) -> Self:
        """Return a client of the daemon that listens at `path`."""
        return cls(httpx.AsyncHTTPTransport(uds=str(path)))

    @classmethod
    def in_process(cls, app: Any) -> Self:
        """Return a client of an app in this process."""
        return cls(httpx.ASGITransport(app))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def sweep(self) -> JsonObject:
        """Return how the sweep stands."""
        return await self._ask("GET", "/v1/sweep")

    async def definition(self) -> JsonObject:
        """Return the sweep file's plain data, secrets replaced by digests."""
        found = (await self._ask("GET", "/v1/definition")).get("definition")
        if not isinstance(found, dict):
            raise DaemonGoneError(_NOT_OURS)
        return found

    async def trials(
        self, *, states: Sequence[str] = (), after: int = -1, limit: int = 500
    ) -> JsonObject:
        """Return a page of trials: `trials`, `next`."""
        query = {"state": list(states), "after": after, "limit": limit}
        return await self._ask("GET", "/v1/trials", query)

    async def trial(self, number: int) -> JsonObject:
        """Return everything about one trial."""
        return await self._ask("GET", f"/v1/trials/{number}")

    async def curve(self, number: int, *, limit: int = 10_000) -> JsonObject:
        """Return the newest points of a trial's curve: `points`, `total`."""
        return await self._ask("GET", f"/v1/trials/{number}/curve", {"limit": limit})

    async def events(
        self, *, trial: int | None = None, after: int = 0, limit: int = 500
    ) -> JsonObject:
        """Return a page of events, oldest first: `events`, `next`."""
        query: dict[str, Any] = {"after": after, "limit": limit}
        if trial is not None:
            query["trial"] = trial
        return await self._ask("GET", "/v1/events", query)

    async def results(self, *, after: int = -1, limit: int = 500) -> JsonObject:
        """Return a page of results: `results`, `next`."""
        return await self._ask("GET", "/v1/results", {"after": after, "limit": limit})

    async def best_results(self, count: int) -> Sequence[JsonObject]:
        """Return the rows of the trials with the best objective, best first."""
        page = await self._ask("GET", "/v1/results", {"best": count})
        rows: Sequence[JsonObject] = page["results"]
        return rows

    async def all_results(self) -> AsyncIterator[JsonObject]:
        """Yield every row of the results, page by page."""
        after: object = -1
        while isinstance(after, int):
            page = await self.results(after=after, limit=_PAGE)
            for row in page.get("results") or ():
                yield row
            after = page.get("next")

    async def wish(
        self,
        kind: str,
        trial: int | None = None,
        workload_id: str | None = None,
        failure: str | None = None,
        params: Params | None = None,
    ) -> int:
        """Record what a person wants of the sweep, or of one trial; return the wish's number.

        `workload_id` is the training that the trial is to adopt; `failure` the class of failures
        that a retry of all is about; `params` the point that is enqueued.
        """
        given = {
            "kind": kind,
            "trial": trial,
            "workload_id": workload_id,
            "failure": failure,
            "params": None if params is None else plain(params),
        }
        body = {name: value for name, value in given.items() if value is not None}
        number = (await self._ask("POST", "/v1/wishes", body=body)).get("wish")
        if not isinstance(number, int):
            raise DaemonGoneError(_NOT_OURS)
        return number

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: JsonObject | None = None,
    ) -> JsonObject:
        try:
            answer = await self._client.request(method, path, params=query, json=body)
            found = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
            words = str(error) or type(error).__name__
            raise DaemonGoneError(f"the daemon does not answer: {words}") from error
        if not isinstance(found, dict):
            raise DaemonGoneError(_NOT_OURS)
        if answer.is_success:
            return found
        message = str(found.get("error", f"status {answer.status_code}"))
        raise StoreError(message) if answer.status_code >= 500 else UserError(message)
