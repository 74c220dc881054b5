import logging
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sweeper.runai.listing import (
    MAX_PAGES,
    Page,
    is_project_id,
    name_filter,
    prefix_filter,
    read_pages,
)


class Pages:
    """Pages by offset; each item is its own key but for what follows a colon."""

    def __init__(self, **pages: tuple[list[str], int | None]) -> None:
        self.pages = {int(name[1:]): page for name, page in pages.items()}
        self.asked: list[int] = []

    async def __call__(self, offset: int) -> Page[str]:
        self.asked.append(offset)
        items, following = self.pages[offset]
        return Page(items=items, following=following)


def key(item: str) -> str:
    return item.partition(":")[0]


def test_a_prefix_becomes_a_filter() -> None:
    assert prefix_filter("swp-ab-", "12", None) == "name=^swp-ab-,projectId==12"


def test_since_is_sent_in_utc_and_never_rounded_up() -> None:
    since = datetime(2026, 3, 1, 14, 0, 5, 999_999, timezone(timedelta(hours=2)))

    text = prefix_filter("swp-", "12", since)

    assert text == "name=^swp-,projectId==12,createdAt>=2026-03-01T12:00:05Z"


def test_a_name_becomes_a_filter() -> None:
    assert name_filter("swp-ab-1-1", "12") == "name==swp-ab-1-1,projectId==12"


@pytest.mark.parametrize(
    "text",
    ["", "a,projectId==13", "A", "1a", "-a", "a b", "a=^b", "a\n", "ä", "a" * 64, "a_b", "a.b"],
    ids=repr,
)
def test_what_is_no_name_never_gets_into_a_filter(text: str) -> None:
    with pytest.raises(ValueError, match="name of a workload"):
        prefix_filter(text, "12", datetime(2026, 3, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="name of a workload"):
        name_filter(text, "12")


def test_a_whole_name_does_not_end_in_a_dash() -> None:
    with pytest.raises(ValueError, match="no name"):
        name_filter("swp-", "12")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", True), ("a-b_c.d", True), ("", False), ("1,2", False), ("1\n", False), ("1=2", False)],
    ids=repr,
)
def test_a_project_id_holds_nothing_that_a_filter_reads(text: str, expected: bool) -> None:
    assert is_project_id(text) is expected


async def test_pages_are_read_to_the_end() -> None:
    pages = Pages(p0=(["a", "b"], 2), p2=(["c"], None))

    assert await read_pages(pages, key) == ["a", "b", "c"]
    assert pages.asked == [0, 2]


async def test_items_that_moved_to_a_later_page_count_once_as_read_last() -> None:
    pages = Pages(p0=(["a:1", "b:1"], 2), p2=(["b:2", "c:2"], None))

    assert await read_pages(pages, key) == ["a:1", "b:2", "c:2"]


@pytest.mark.parametrize("following", [0, 1, 2, -5], ids=["start", "back", "same", "negative"])
async def test_an_offset_that_does_not_advance_ends_the_reading(
    following: int, caplog: pytest.LogCaptureFixture
) -> None:
    pages = Pages(p0=(["a", "b"], 2), p2=(["c"], following))

    assert await read_pages(pages, key) == ["a", "b", "c"]
    assert "does not advance" in caplog.text


@pytest.mark.parametrize("again", [["a"], []], ids=["same items", "no items"])
async def test_a_page_with_nothing_new_ends_the_reading(
    again: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    pages = Pages(p0=(["a"], 1), p1=(again, 2))

    assert await read_pages(pages, key) == ["a"]
    assert "does not advance" in caplog.text


async def test_endless_pages_end_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    async def endless(offset: int) -> Page[str]:
        return Page(items=[str(offset)], following=offset + 1)

    with caplog.at_level(logging.WARNING):
        items = await read_pages(endless, key)

    assert len(items) == MAX_PAGES
    assert "more than" in caplog.text
