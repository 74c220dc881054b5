"""HOST:PORT as people write it."""

import re
from dataclasses import dataclass

from sweeper.errors import SettingsError

_ADDRESS = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9.-]*)):(?P<port>[0-9]{1,5})"
)

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on # nosec B104


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPort:
    """Where to listen, or to ask; port 0 stands for a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_address(text: str, setting: str) -> HostPort:
    """Return the address that `text` is; without a host it is this machine's loopback.

    Raises:
        SettingsError: it is none; names the setting that holds it.
    """
    match = _ADDRESS.fullmatch(text.strip())
    port = int(match["port"]) if match else -1
    if match is None or port > 65535:
        raise SettingsError(
            f"{setting}: {text[:80]!r} is no address: write HOST:PORT, such as 127.0.0.1:9464"
        )
    return HostPort(host=match["six"] or match["host"] or "127.0.0.1", port=port)


def reachable(host: str) -> str:
    """Return the host under which this machine itself reaches what listens on `host`."""
    return _EVERYWHERE.get(host, host)
