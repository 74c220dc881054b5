"""Ask a daemon over HTTP whether it is alive."""

import httpx

from sweeper.bootstrap.addresses import HostPort, reachable, read_address
from sweeper.bootstrap.sweeps import find_sweep
from sweeper.errors import SettingsError
from sweeper.settings import DEFAULT_LISTEN, Settings

_TIMEOUT = httpx.Timeout(5.0)
_SHOWN = 500


async def probe(settings: Settings, sweep: str | None) -> tuple[bool, str]:
    """Return whether a daemon answers that it is well, and what it says.

    With `sweep`, that sweep's daemon is asked over its unix socket, else the one at the listen
    address of the settings.

    Raises:
        SettingsError: there is no such sweep, or the address cannot be one.
    """
    if sweep is not None:
        folder = find_sweep(settings, sweep)
        transport = httpx.AsyncHTTPTransport(uds=str(folder.socket))
        return await _ask(transport, "http://sweeper", f"the daemon of {folder.name}")
    address = read_address(settings.listen or DEFAULT_LISTEN, "listen")
    if address.port == 0:
        raise SettingsError("listen: port 0 names no daemon; give the port that it printed")
    url = f"http://{HostPort(host=reachable(address.host), port=address.port)}"
    return await _ask(httpx.AsyncHTTPTransport(), url, url)


async def _ask(transport: httpx.AsyncHTTPTransport, url: str, who: str) -> tuple[bool, str]:
    async with httpx.AsyncClient(
        transport=transport, base_url=url, timeout=_TIMEOUT, trust_env=False
    ) as client:
        try:
            answer = await client.get("/healthz")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return False, f"{who} does not answer: {str(error) or type(error).__name__}"
    words = answer.text.strip()[:_SHOWN]
    return answer.status_code == httpx.codes.OK, words or f"status {answer.status_code}"
