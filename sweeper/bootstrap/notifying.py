"""Who is told of a sweep: receivers from its file and the settings, and what they are told."""

import asyncio
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from sweeper.bootstrap.reading import read_file
from sweeper.bootstrap.results import read_table
from sweeper.bootstrap.secret_files import require_private
from sweeper.bootstrap.signals import StopSignals
from sweeper.clock import pause, utc_now
from sweeper.daemon.delivering import SEND_TIMEOUT, Outbox
from sweeper.domain.notifying import Daily, wanted_by
from sweeper.domain.outbox import Notice, NoticeKind, Wanted
from sweeper.domain.receivers import DEFAULT_TOPICS, Receiver, Topic
from sweeper.domain.record import SweepRecord
from sweeper.errors import NoticeError, SettingsError
from sweeper.ports import Store, Telemetry
from sweeper.settings import Settings
from sweeper.telemetry.messages import (
    WITH_TABLE,
    Message,
    Standings,
    message_of,
    trial_message,
)
from sweeper.telemetry.notify import AppriseNotifier, check_address, deliver
from sweeper.web.client import VerbsClient
from sweeper.web.verbs import verbs_app

TABLE_ROWS = 10
"""Trials in the table of a message."""

LAST_WORDS = 60.0
"""Seconds for what is still open when a daemon ends by itself."""

_TABLE_WIDTH = 100
_LONGEST_ADDRESS = 10_000
_OF_SETTINGS = "SWEEPER_NOTIFY_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the receivers are, by their names.

    Variables were read, and taken out of the environment, when this was made; files are read each
    time, as secrets in files are rotated.
    """

    known: frozenset[str] = frozenset()
    variables: Mapping[str, SecretStr] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)

    def __call__(self, name: str) -> str:
        """Return the address of a receiver; raises NoticeError."""
        if name not in self.known:
            raise NoticeError("sweep file and settings name it no more", for_good=True)
        if name in self.variables:
            return self.variables[name].get_secret_value().strip()
        if name not in self.files:
            raise NoticeError("is not set: put the address of the receiver into this variable")
        try:
            return _read(self.files[name])
        except OSError as error:
            raise NoticeError(f"its file cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise NoticeError("its file holds no text") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Who is told of one sweep, of what, and when the daily summary comes."""

    receivers: Sequence[Receiver]
    addresses: Addresses
    wanted: Wanted
    daily: Daily | None

    def outbox(self, store: Store, telemetry: Telemetry) -> Outbox:
        """Return what sends the notices of a sweep."""

        async def compose(sweep: SweepRecord, notice: Notice) -> Message:
            return message_of(sweep, notice, await _standings(store, notice.kind))

        notifier = AppriseNotifier(address=self.addresses, compose=compose)
        return Outbox(store=store, notifier=notifier, telemetry=telemetry, now=utc_now)


def read_telling(
    receivers: Sequence[Receiver], settings: Settings, folder: Path, *, check: bool = True
) -> Telling:
    """Return who is told: the sweep file's receivers, and that of the settings.

    Files are named from `folder` on. With `check`, every address is read and looked at.

    Raises:
        SettingsError: one cannot be used.
        MissingExtraError: somebody is to be told, and Apprise is not installed.
    """
    everybody = [*receivers, *_of_settings(settings)]
    addresses = Addresses(
        known=frozenset(one.name for one in everybody),
        variables=_taken(settings, everybody),
        files={one.name: folder / Path(one.file).expanduser() for one in everybody if one.file},
    )
    for receiver in everybody if check else ():
        _check(receiver, addresses)
    wanted = wanted_by(everybody)
    is_daily = any(NoticeKind.SUMMARY in kinds for kinds in wanted.values())
    at = time.fromisoformat(settings.notify_daily_at)
    return Telling(
        receivers=everybody,
        addresses=addresses,
        wanted=wanted,
        daily=Daily(at=at, local=datetime.astimezone) if is_daily else None,
    )


async def last_words(outbox: Outbox, signals: StopSignals) -> None:
    """Let all that is open be tried once more, unless a signal says, or said, to end.

    A sweep that is over may never be started again, so more patience is due than with a daemon
    that is told to stop.
    """
    if signals.received is None:
        signals.on_stop(outbox.ended.set)
        outbox.request_stop()
        await pause(LAST_WORDS, wake=outbox.ended)


async def try_receivers(file: Path, settings: Settings) -> Mapping[str, str]:
    """Send everybody a message that says nothing happened; return by name what went wrong, or "".

    Raises:
        UserError: the sweep file or an address cannot be used.
    """
    found = read_file(file, settings, strict=False, local=True)
    folder = await asyncio.to_thread(lambda: file.absolute().parent)
    telling = read_telling(found.spec.notify, settings, folder)
    message = trial_message(found.spec.name)
    return {name: await _try(telling.addresses, name, message) for name in telling.wanted}


async def _try(addresses: Addresses, name: str, message: Message) -> str:
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            await deliver(addresses(name), message)
    except NoticeError as error:
        return str(error)
    except TimeoutError:
        return f"it took longer than {SEND_TIMEOUT:.0f} s"
    return ""


def _of_settings(settings: Settings) -> Sequence[Receiver]:
    about = _topics(settings.notify_about)
    if settings.notify_url is not None:
        return [Receiver(variable=_OF_SETTINGS, about=about)]
    if settings.notify_url_file is not None:
        return [Receiver(file=str(settings.notify_url_file.absolute()), about=about)]
    return []


def _topics(given: str | None) -> frozenset[Topic]:
    if given is None:
        return DEFAULT_TOPICS
    words = [word.strip() for word in given.split(",") if word.strip()]
    try:
        return frozenset(Topic(word) for word in words)
    except ValueError as error:
        raise SettingsError(f"notify_about: {error}: write some of {', '.join(Topic)}") from error


def _taken(settings: Settings, receivers: Iterable[Receiver]) -> Mapping[str, SecretStr]:
    """Return the values of the receivers' variables, which no training is to inherit."""
    values: dict[str, SecretStr] = {}
    for receiver in receivers:
        name = receiver.variable
        if name == _OF_SETTINGS and settings.notify_url is not None:
            values[name] = settings.notify_url
        elif name is not None and name in os.environ:
            values[name] = SecretStr(os.environ[name])
    for name in values:
        os.environ.pop(name, None)
    return values


def _check(receiver: Receiver, addresses: Addresses) -> None:
    name = receiver.name
    if receiver.file is not None:
        require_private(addresses.files[name], "notify")
    try:
        wrong = check_address(addresses(name))
    except NoticeError as error:
        raise SettingsError(f"notify: {name} {error}") from error
    if wrong:
        raise SettingsError(f"notify: {name}: {wrong}")


def _read(file: Path) -> str:
    with file.open(encoding="utf-8") as opened:
        return opened.read(_LONGEST_ADDRESS).strip()


async def _standings(store: Store, kind: NoticeKind) -> Standings:
    best = await store.best_trials(1)
    table = ""
    if kind in WITH_TABLE:
        async with VerbsClient.in_process(verbs_app(store, now=utc_now)) as client:
            table = await asyncio.to_thread(_as_text, await read_table(client, TABLE_ROWS))
    return Standings(totals=await store.totals(), best=best[0] if best else None, table=table)


def _as_text(table: Table) -> str:
    text = io.StringIO()
    Console(file=text, width=_TABLE_WIDTH, color_system=None, force_terminal=False).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
