"""Tell people outside through Apprise, which speaks to some hundred services.

An address holds a password. It is handed to Apprise and to nobody else: what Apprise and its
libraries log is not passed on, and of what they say went wrong only a status number is repeated.
"""

import asyncio
import importlib
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from sweeper.domain.outbox import Notice
from sweeper.domain.record import SweepRecord
from sweeper.errors import MissingExtraError, NoticeError
from sweeper.telemetry.exporting import in_thread
from sweeper.telemetry.messages import Message

Address: TypeAlias = Callable[[str], str]
"""Returns the address of a receiver, by its name; raises NoticeError where there is none."""

Compose: TypeAlias = Callable[[SweepRecord, Notice], Awaitable[Message]]
"""Returns what to say of a notice."""

SERVICE_TIMEOUT = 20.0
"""Seconds that one service may take, all requests together."""

_LOGGERS = ("apprise", "urllib3", "requests_oauthlib", "oauthlib")
_STATUS = re.compile(r"\berror=(\d{3})\b")


@dataclass(slots=True, kw_only=True)
class AppriseNotifier:
    """Sends notices, each to its receiver."""

    address: Address
    compose: Compose

    async def send(self, sweep: SweepRecord, notice: Notice) -> None:
        """Send a notice (see the port)."""
        address = self.address(notice.receiver)
        try:
            await deliver(address, await self.compose(sweep, notice))
        except MissingExtraError as error:
            raise NoticeError(str(error)) from error


async def deliver(address: str, message: Message) -> None:
    """Send a message to an address; raises NoticeError where it was not sent, or not surely.

    A service that hangs holds up nobody who has given it up, nor the end of the process.
    """
    await asyncio.wrap_future(in_thread(partial(_deliver, address, message), "notify"))


def check_address(address: str) -> str:
    """Return what is wrong with an address, "" where Apprise knows what to do with it.

    Raises:
        MissingExtraError: Apprise is not installed.
    """
    if len(address.split()) != 1:
        return "it holds no address, or more than one: write one for each receiver"
    if _service(load_apprise(), address) is None:
        return "Apprise knows no such address: see https://appriseit.com/services/"
    return ""


def load_apprise() -> Any:
    """Return the library, kept from logging.

    Raises:
        MissingExtraError: it is not installed.
    """
    # What a library logs may hold an address, or the part of it that is the password.
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.WARNING)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
    try:
        return importlib.import_module("apprise")
    except ImportError as error:
        raise MissingExtraError("notify", "notify") from error


def _deliver(address: str, message: Message) -> None:
    apprise = load_apprise()
    service = _service(apprise, address)
    if service is None:
        raise NoticeError("Apprise knows no such address")
    told = apprise.Apprise()
    told.add(service)
    try:
        result = told.notify(
            title=message.subject,
            body=message.body,
            notify_type=apprise.NotifyType(message.tone.value),
            body_format=apprise.NotifyFormat.TEXT,
            timeout=SERVICE_TIMEOUT,
        )
    except Exception as error:  # noqa: BLE001 - plug-ins of a hundred services; no text of theirs
        raise NoticeError(f"the service failed: {type(error).__name__}") from None
    if not result:
        raise NoticeError(_reason(entry.message for entry in result.logs()))


def _service(apprise: Any, address: str) -> Any:
    asset = apprise.AppriseAsset(app_id="sweeper", app_desc="sweeper", async_mode=False)
    try:
        return apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    except Exception:  # noqa: BLE001 - an address that breaks its plug-in is none
        return None


def _reason(said: Iterable[str]) -> str:
    """Return what of a library's words can be repeated: a number."""
    for words in said:
        if found := _STATUS.search(words):
            return f"the service answered {found[1]}"
    return "the service cannot be reached, or did not take it"
