import asyncio
import importlib
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from sweeper.domain.outbox import Notice, NoticeKind
from sweeper.domain.record import SweepRecord
from sweeper.errors import MissingExtraError, NoticeError
from sweeper.telemetry.messages import Message, Tone
from sweeper.telemetry.notify import (
    AppriseNotifier,
    check_address,
    deliver,
)
from tests.support.builders import NOW, a_sweep
from tests.support.receivers import http_inbox, mail_inbox

SECRET = "s3cr3tpassword"
TABLE = "  trial   loss\n ────────────\n      3   0.25"
MESSAGE = Message(subject="sweep demo: finished", body=f"well\n\n{TABLE}", tone=Tone.SUCCESS)


def a_notifier(address: Callable[[str], str]) -> AppriseNotifier:
    async def compose(sweep: SweepRecord, notice: Notice) -> Message:
        return MESSAGE

    return AppriseNotifier(address=address, compose=compose)


async def test_a_message_reaches_an_http_address_as_it_is() -> None:
    with http_inbox() as inbox:
        await deliver(f"json://127.0.0.1:{inbox.port}/", MESSAGE)

    (told,) = inbox.messages
    assert (told["title"], told["message"], told["type"]) == (
        MESSAGE.subject,
        MESSAGE.body,
        "success",
    )


async def test_a_message_comes_as_plain_mail_with_its_table_in_line() -> None:
    async with mail_inbox() as inbox:
        await deliver(
            f"mailto://127.0.0.1:{inbox.port}?from=sweeper@example.com&to=me@example.com", MESSAGE
        )

    (told,) = inbox.messages
    assert (told["title"], told["to"], told["plain"]) == (
        MESSAGE.subject,
        ["me@example.com"],
        True,
    )
    assert TABLE in told["message"].replace("\r\n", "\n")


async def test_each_notice_goes_to_its_receiver() -> None:
    notice = Notice(kind=NoticeKind.FINISHED, at=NOW, text="", due_at=NOW, receiver="HOOK")

    with http_inbox() as inbox:
        addresses = {"HOOK": f"json://127.0.0.1:{inbox.port}/"}
        await a_notifier(addresses.__getitem__).send(a_sweep(), notice)

    assert inbox.subjects == [MESSAGE.subject]


@pytest.mark.parametrize("answer", [400, 401, 404, 500, 503])
async def test_a_refusal_is_told_by_its_number_and_without_the_address(
    answer: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)

    with http_inbox() as inbox:
        inbox.answer = answer
        with pytest.raises(NoticeError) as caught:
            await deliver(f"json://user:{SECRET}@127.0.0.1:{inbox.port}/{SECRET}/", MESSAGE)

    assert str(caught.value) == f"the service answered {answer}"
    assert SECRET not in caplog.text


async def test_a_service_that_is_away_is_told_without_its_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(1)
    with http_inbox() as inbox:
        port = inbox.port

    with pytest.raises(NoticeError, match="cannot be reached") as caught:
        await deliver(f"json://user:{SECRET}@127.0.0.1:{port}/{SECRET}/", MESSAGE)

    assert caught.value.__cause__ is None
    assert SECRET not in caplog.text


async def test_what_is_no_address_is_refused_when_it_is_sent_to() -> None:
    with pytest.raises(NoticeError, match="no such address"):
        await deliver(f"nosuchservice://{SECRET}", MESSAGE)


async def test_a_service_that_breaks_is_told_without_its_words() -> None:
    # Apprise has no types.
    decorators: Any = importlib.import_module("apprise.decorators")
    plugins: Any = importlib.import_module("apprise.manager_plugins")

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    decorators.notify(on="breaks")(breaks)
    try:
        with pytest.raises(NoticeError, match="did not take it") as caught:
            await deliver("breaks://here", MESSAGE)
    finally:
        plugins.NotificationManager().remove("breaks")

    assert SECRET not in str(caught.value)


async def test_a_library_that_went_away_is_a_failure_to_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notice = Notice(kind=NoticeKind.FINISHED, at=NOW, text="", due_at=NOW, receiver="HOOK")
    monkeypatch.setitem(sys.modules, "apprise", None)

    with pytest.raises(NoticeError, match=r"pip install 'sweeper\[notify\]'"):
        await a_notifier(lambda name: "json://127.0.0.1:1/").send(a_sweep(), notice)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("json://127.0.0.1:1/", ""),
        ("mailtos://user:password@example.com", ""),
        (f"nosuchservice://{SECRET}", "Apprise knows no such address"),
        ("", "it holds no address, or more than one"),
        ("json://a json://b", "it holds no address, or more than one"),
    ],
)
def test_an_address_is_looked_at_before_it_is_needed(address: str, said: str) -> None:
    found = check_address(address)

    assert found.startswith(said) if said else found == ""
    assert SECRET not in found


def test_a_missing_library_is_named_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'sweeper\[notify\]'"):
        check_address("json://127.0.0.1:1/")


async def test_what_libraries_log_is_not_passed_on() -> None:
    check_address("json://127.0.0.1:1/")

    assert not logging.getLogger("apprise").propagate
    assert not logging.getLogger("urllib3").propagate


async def test_a_service_that_hangs_holds_up_nobody_who_has_given_it_up() -> None:
    gate, arrived = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(message: object) -> None:
        loop.call_soon_threadsafe(arrived.set)
        gate.wait()

    with http_inbox() as inbox:
        inbox.on_arrival = hang
        async with asyncio.TaskGroup() as group:
            task = group.create_task(deliver(f"json://127.0.0.1:{inbox.port}/", MESSAGE))
            await arrived.wait()
            task.cancel()
        (thread,) = (one for one in threading.enumerate() if one.name == "notify")
        gate.set()
        thread.join()

    assert task.cancelled()
    assert thread.daemon
