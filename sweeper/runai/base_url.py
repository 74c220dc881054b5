"""Which addresses a control plane may have: https, or http on this machine, and nothing else."""

import ipaddress
import re
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from sweeper.errors import SettingsError

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.(?!-)[A-Za-z0-9-]{1,63})*\.?")
# inet_aton reads 2852039166, 0xa9fea9fe and 169.16689662 as addresses, which would slip past
# every check of an address below.
_DISGUISED_ADDRESS = re.compile(r"(?:.*\.)?(?:0[xX][0-9A-Fa-f]*|[0-9]+)\.?")
_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "instance-data"})
_METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(text)
    for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")
)


def check_base_url(text: str, *, allow_http_loopback: bool = True) -> str:
    """Return the base URL of a control plane as `scheme://host[:port]`, in lower case.

    Raises:
        SettingsError: the token would travel in the clear or to a place that no control plane
            has, or the URL has parts that do not belong there. User info is never repeated.
    """
    url = text.strip()
    if not url:
        raise SettingsError("the base URL is empty; give one such as https://runai.example.com")
    parts = _split(url)
    _refuse_extra_parts(url, parts)
    host = (parts.hostname or "").rstrip(".")
    address = _address(url, host)
    if address is not None:
        _refuse_address(url, address)
    elif host in _METADATA_NAMES:
        raise _unusable(url, "is the metadata service of a cloud, not a control plane")
    if parts.scheme == "http":
        _refuse_clear_text(url, host, address, allow_http_loopback=allow_http_loopback)
    shown_host = f"[{address}]" if isinstance(address, ipaddress.IPv6Address) else host
    return f"{parts.scheme}://{shown_host}{_port(url, parts)}"


def _split(url: str) -> SplitResult:
    """Return the parts of a URL that has a scheme we speak and a host."""
    # urlsplit drops tabs and newlines without a word, so they must be looked for first.
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _unusable(url, "holds characters that no URL may hold")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _unusable(url, "is no URL; give one such as https://runai.example.com") from None
    if "://" not in url:
        raise _unusable(url, f"lacks its scheme; write https://{_without_user(url)}")
    if parts.scheme not in {"http", "https"}:
        raise _unusable(url, f"has the scheme {parts.scheme!r}; only https is spoken")
    if not parts.hostname:
        raise _unusable(url, "names no host; give one such as https://runai.example.com")
    return parts


def _refuse_extra_parts(url: str, parts: SplitResult) -> None:
    """Refuse user info, a path, a query and a fragment."""
    if "@" in parts.netloc:
        raise _unusable(url, "holds a user or a password; give credentials in RUNAI_CLIENT_*")
    if parts.path.rstrip("/"):
        root = f"{parts.scheme}://{parts.netloc}"
        raise _unusable(url, f"holds a path; the API's own paths are added to it: write {root}")
    if "?" in url or "#" in url:
        raise _unusable(url, "holds a query or a fragment; leave it out")


def _address(url: str, host: str) -> _Address | None:
    """Return the address that `host` is, None when it is a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if _DISGUISED_ADDRESS.fullmatch(host):
            raise _unusable(url, "writes an address in an odd way; write a.b.c.d") from None
        if not _HOST_NAME.fullmatch(host):
            raise _unusable(url, f"has {host!r} as its host, which is no host name") from None
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        raise _unusable(url, "names a network interface; a control plane is not link-local")
    return address


def _refuse_address(url: str, address: _Address) -> None:
    """Refuse addresses behind which metadata services and neighbours live, not control planes."""
    plain = _plain(address)
    if plain.is_link_local or plain in _METADATA_ADDRESSES:
        raise _unusable(url, "is a link-local or metadata address, not a control plane")
    if plain.is_unspecified or plain.is_multicast:
        raise _unusable(url, "is an address that no server can have")


def _refuse_clear_text(
    url: str, host: str, address: _Address | None, *, allow_http_loopback: bool
) -> None:
    """Refuse http unless it stays on this machine."""
    loopback = host == "localhost" if address is None else _plain(address).is_loopback
    if not loopback:
        raise _unusable(url, "would send the token in the clear; write https://")
    if not allow_http_loopback:
        raise _unusable(url, "is plain http; write https://")


def _plain(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one wraps, else the address itself."""
    wrapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return wrapped or address


def _port(url: str, parts: SplitResult) -> str:
    """Return `:port`, or "" when the URL names none."""
    try:
        port = parts.port
    except ValueError:
        raise _unusable(url, "has a port that is no number from 1 to 65535") from None
    if port == 0:
        raise _unusable(url, "has port 0, on which no server can be reached")
    return "" if port is None else f":{port}"


def _unusable(url: str, fault: str) -> SettingsError:
    """Return the error that says what is wrong with the URL, without its user info."""
    return SettingsError(f"base URL {_without_user(url)[:200]!r} {fault}")


def _without_user(url: str) -> str:
    """Return the URL with everything between `//` and the last `@` hidden."""
    if "@" not in url:
        return url
    scheme, mark, _ = url.partition("://")
    return (
        f"{scheme}{mark}***@{url.rpartition('@')[2]}" if mark else f"***@{url.rpartition('@')[2]}"
    )
