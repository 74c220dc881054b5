import asyncio
import os
import signal
from datetime import time
from pathlib import Path

import pytest

from sweeper.bootstrap.environment import child_environment
from sweeper.bootstrap.notifying import LAST_WORDS, Telling, last_words, read_telling
from sweeper.bootstrap.signals import StopSignals
from sweeper.clock import pause
from sweeper.daemon.delivering import Outbox, delivering
from sweeper.domain.outbox import Notice, NoticeKind
from sweeper.domain.receivers import Receiver, Topic
from sweeper.domain.record import Event, EventKind
from sweeper.errors import NoticeError, SettingsError
from sweeper.settings import Settings, load_settings
from sweeper.store.memory import MemoryStore
from tests.support.builders import NOW, a_sweep, a_trial
from tests.support.daemon import Heard
from tests.support.receivers import http_inbox
from tests.support.telling import Told

SECRET = "s3cr3tpassword"
ADDRESS = f"json://user:{SECRET}@127.0.0.1:9/"
HOOK = Receiver(variable="HOOK")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("SWEEPER_")]:
        monkeypatch.delenv(name)


def a_file(folder: Path, text: str = ADDRESS, mode: int = 0o600) -> Receiver:
    path = folder / "hook.url"
    path.write_text(f"{text}\n")
    path.chmod(mode)
    return Receiver(file="hook.url")


def told(*receivers: Receiver, folder: Path, settings: Settings | None = None) -> Telling:
    return read_telling(receivers, settings or load_settings(), folder)


def test_an_address_is_taken_out_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOOK", ADDRESS)

    telling = told(HOOK, folder=tmp_path)

    assert telling.addresses("HOOK") == ADDRESS
    assert "HOOK" not in child_environment()
    assert SECRET not in repr(telling)


def test_a_file_stands_in_the_folder_of_the_sweep_and_may_change(tmp_path: Path) -> None:
    telling = told(a_file(tmp_path), folder=tmp_path)

    a_file(tmp_path, "json://127.0.0.1:10/")

    assert telling.addresses("hook.url") == "json://127.0.0.1:10/"


def test_the_settings_name_somebody_beside_the_sweep_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOOK", ADDRESS)
    monkeypatch.setenv("SWEEPER_NOTIFY_URL", ADDRESS)
    monkeypatch.setenv("SWEEPER_NOTIFY_ABOUT", "started, daily")
    monkeypatch.setenv("SWEEPER_NOTIFY_DAILY_AT", "17:30")

    telling = told(HOOK, folder=tmp_path)

    assert telling.wanted["SWEEPER_NOTIFY_URL"] == {NoticeKind.STARTED, NoticeKind.SUMMARY}
    assert NoticeKind.FINISHED in telling.wanted["HOOK"]
    assert telling.daily is not None
    assert telling.daily.at == time(17, 30)
    assert "SWEEPER_NOTIFY_URL" not in child_environment()


def test_a_file_of_the_settings_is_one_receiver_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / str(a_file(tmp_path).file)
    monkeypatch.setenv("SWEEPER_NOTIFY_URL_FILE", str(path))

    telling = told(folder=Path("/nowhere"))

    assert list(telling.wanted) == [str(path)]
    assert telling.addresses(str(path)) == ADDRESS
    assert telling.daily is None


def test_nobody_is_told_unless_somebody_is_named(tmp_path: Path) -> None:
    assert told(folder=tmp_path).wanted == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "HOOK is not set"),
        ("", "HOOK: it holds no address"),
        (f"nosuchservice://{SECRET}", "HOOK: Apprise knows no such address"),
        (f"{ADDRESS} {ADDRESS}", "HOOK: it holds no address, or more than one"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_before_anything_starts(
    text: str | None, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if text is not None:
        monkeypatch.setenv("HOOK", text)

    with pytest.raises(SettingsError, match=said) as caught:
        told(HOOK, folder=tmp_path)

    assert SECRET not in str(caught.value)


def test_a_file_that_others_may_read_or_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        told(Receiver(file="hook.url"), folder=tmp_path)
    with pytest.raises(SettingsError, match="chmod o= it"):
        told(a_file(tmp_path, mode=0o644), folder=tmp_path)


def test_topics_that_do_not_exist_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SWEEPER_NOTIFY_ABOUT", "finished, ended")

    with pytest.raises(SettingsError, match=r"'ended'.*write some of started, finished"):
        told(folder=tmp_path)


def test_a_verb_without_the_address_leaves_what_it_wrote_to_the_daemon(tmp_path: Path) -> None:
    telling = read_telling([HOOK], load_settings(), tmp_path, check=False)

    with pytest.raises(NoticeError, match="is not set") as caught:
        telling.addresses("HOOK")

    assert (set(telling.wanted), caught.value.for_good) == ({"HOOK"}, False)


def test_who_is_named_no_more_is_told_nothing_more(tmp_path: Path) -> None:
    with pytest.raises(NoticeError) as caught:
        told(folder=tmp_path).addresses("HOOK")

    assert caught.value.for_good


def test_a_file_that_went_away_is_tried_again(tmp_path: Path) -> None:
    telling = told(a_file(tmp_path), folder=tmp_path)
    (tmp_path / "hook.url").unlink()

    with pytest.raises(NoticeError, match="cannot be read: No such file") as caught:
        telling.addresses("hook.url")

    assert not caught.value.for_good


async def test_what_is_in_the_outbox_is_told_as_the_sweep_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store, heard = MemoryStore(), Heard()
    notice = Notice(kind=NoticeKind.SUMMARY, at=NOW, text="", due_at=NOW, receiver="HOOK")
    await store.save_sweep(a_sweep(), [Event(at=NOW, kind=EventKind.SWEEP, outcome="summarised")])
    await store.commit([a_trial(0, version=0), a_trial(1, version=0)], notices=[notice])

    with http_inbox() as inbox:
        monkeypatch.setenv("HOOK", f"json://127.0.0.1:{inbox.port}/")
        receiver = Receiver(variable="HOOK", about=frozenset({Topic.DAILY}))
        async with delivering(told(receiver, folder=tmp_path).outbox(store, heard)):
            pass

    (message,) = inbox.messages
    assert message["title"] == "sweep demo: daily summary, 2 active, 8 waiting"
    assert "trial   state" in message["message"]
    assert heard.outcomes("notice") == ["sent"]


async def test_a_daemon_that_ends_by_itself_lets_all_be_tried_once_more() -> None:
    store, told = MemoryStore(), Told(down=True)
    notice = Notice(kind=NoticeKind.FINISHED, at=NOW, text="over", due_at=NOW)
    await store.save_sweep(a_sweep(), notices=[notice])
    outbox = Outbox(store=store, notifier=told, telemetry=Heard(), now=lambda: NOW)

    async with delivering(outbox):
        await pause(0)
        told.down = False
        await last_words(outbox, StopSignals())
        in_time = list(told.texts)

    assert in_time == ["over"]


@pytest.mark.looptime
@pytest.mark.parametrize(("stop_after", "waited"), [(None, LAST_WORDS), (7.0, 7.0)])
async def test_a_receiver_that_hangs_is_waited_for_a_minute_or_until_a_signal(
    stop_after: float | None, waited: float
) -> None:
    store, told = MemoryStore(), Told(hangs={"one", "two", "three"})
    notices = [
        Notice(kind=NoticeKind.FINISHED, at=NOW, text=text, due_at=NOW) for text in told.hangs
    ]
    await store.save_sweep(a_sweep(), notices=notices)
    outbox = Outbox(store=store, notifier=told, telemetry=Heard(), now=lambda: NOW)
    signals, loop = StopSignals(), asyncio.get_running_loop()

    async with delivering(outbox):
        began = loop.time()
        if stop_after is not None:
            loop.call_later(stop_after, signals.take, signal.SIGTERM)
        await last_words(outbox, signals)
        seconds = loop.time() - began

    assert seconds == waited


async def test_who_was_told_to_stop_has_no_last_words() -> None:
    told, signals = Told(), StopSignals()
    outbox = Outbox(store=MemoryStore(), notifier=told, telemetry=Heard(), now=lambda: NOW)
    signals.take(signal.SIGTERM)

    await last_words(outbox, signals)

    assert not outbox.ended.is_set()
