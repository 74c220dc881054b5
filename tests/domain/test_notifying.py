from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.notifying import KINDS, Daily, wanted_by
from sweeper.domain.outbox import NoticeKind
from sweeper.domain.receivers import Receiver, Topic

BERLIN = ZoneInfo("Europe/Berlin")


def daily(at: time = time(8)) -> Daily:
    return Daily(at=at, local=lambda moment: moment.astimezone(BERLIN))


def local(day: int, hour: int, minute: int = 0, *, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


def test_every_notice_belongs_to_one_topic() -> None:
    listed = [kind for topic in Topic for kind in KINDS[topic]]

    assert sorted(listed) == sorted(NoticeKind)


def test_a_receiver_wants_what_its_topics_are_about() -> None:
    wanted = wanted_by(
        [
            Receiver(variable="SLACK", about=frozenset({Topic.STARTED, Topic.DAILY})),
            Receiver(file="/run/mail"),
        ]
    )

    assert wanted["SLACK"] == {NoticeKind.STARTED, NoticeKind.SUMMARY}
    assert {NoticeKind.FINISHED, NoticeKind.HELD} <= set(wanted["/run/mail"])
    assert {NoticeKind.STARTED, NoticeKind.FAILED}.isdisjoint(wanted["/run/mail"])


def test_a_receiver_that_is_named_twice_gets_one_notice_of_each_kind() -> None:
    one = Receiver(variable="SLACK", about=frozenset({Topic.STARTED}))
    other = Receiver(variable="SLACK", about=frozenset({Topic.DAILY}))

    assert wanted_by([one, other]) == {"SLACK": {NoticeKind.STARTED, NoticeKind.SUMMARY}}


@pytest.mark.parametrize(
    ("last", "now", "is_due"),
    [
        (local(1, 12), local(1, 23), False),
        (local(1, 12), local(2, 7, 59), False),
        (local(1, 12), local(2, 8), True),
        (local(2, 8), local(2, 8, 1), False),
        (local(2, 7, 59), local(2, 8, 1), True),
        (local(1, 12), local(9, 23), True),
        (local(2, 8), local(1, 9), False),
    ],
    ids=["today", "before", "sharp", "told", "begun just before", "away for days", "set back"],
)
def test_a_summary_is_due_once_the_time_of_day_has_come(
    last: datetime, now: datetime, is_due: bool
) -> None:
    assert daily().is_due(last, now) is is_due


def test_an_hour_that_comes_twice_brings_one_summary() -> None:
    told = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    again = told + timedelta(hours=1)

    assert daily(time(2, 30)).local(told).hour == daily(time(2, 30)).local(again).hour
    assert not daily(time(2, 30)).is_due(told, again)


@given(st.times().map(lambda at: at.replace(second=0, microsecond=0)), st.integers(0, 59))
def test_a_daemon_that_looks_every_hour_tells_once_a_day(at: time, minute: int) -> None:
    when, last, told = daily(at), local(1, 0), 0
    now = last + timedelta(minutes=minute)

    for _ in range(10 * 24):
        now += timedelta(hours=1)
        if when.is_due(last, now):
            last, told = now, told + 1

    assert 9 <= told <= 11
