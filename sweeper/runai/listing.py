"""How the listing of workloads is asked: filters built from checked words, pages guarded."""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

PAGE_SIZE = 500
MAX_PAGES = 2_000

_T = TypeVar("_T")

# A filter has no escapes, so whatever is more than a name could change its meaning.
_PREFIX = re.compile(r"[a-z][a-z0-9-]{0,62}")
_PROJECT_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[_T]):
    """One page; `following` is the offset of the next one, None on the last."""

    items: Sequence[_T]
    following: int | None


def prefix_filter(prefix: str, project_id: str, since: datetime | None) -> str:
    """Return the filter for names that begin with `prefix`, created at `since` or later.

    Raises:
        ValueError: `prefix` cannot begin a workload's name.
    """
    terms = [f"name=^{_checked(prefix)}", f"projectId=={project_id}"]
    if since is not None:
        terms.append(f"createdAt>={_timestamp(since)}")
    return ",".join(terms)


def name_filter(name: str, project_id: str) -> str:
    """Return the filter for exactly this name.

    Raises:
        ValueError: `name` cannot be a workload's name.
    """
    if name.endswith("-"):
        raise ValueError(f"{name[:80]!r} is no name of a workload")
    return f"name=={_checked(name)},projectId=={project_id}"


def is_project_id(text: str) -> bool:
    """Whether `text` may stand in a filter as a project's id."""
    return _PROJECT_ID.fullmatch(text) is not None


def _checked(name: str) -> str:
    if not _PREFIX.fullmatch(name):
        raise ValueError(f"{name[:80]!r} cannot begin the name of a workload")
    return name


def _timestamp(at: datetime) -> str:
    """Return a time as the API writes it, to the second and never after `at`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def read_pages(
    fetch: Callable[[int], Awaitable[Page[_T]]], key: Callable[[_T], str]
) -> list[_T]:
    """Return the items of all pages from offset 0, each key once: the one read last.

    Offsets shift while items come and go, so pages may overlap; an item that moved to another
    page meanwhile can be missed. Pages that lead nowhere end the reading with what was read.
    """
    items: dict[str, _T] = {}
    offset = 0
    for _ in range(MAX_PAGES):
        page = await fetch(offset)
        known = len(items)
        for item in page.items:
            items[key(item)] = item
        if page.following is None:
            break
        if page.following <= offset or len(items) == known:
            logger.warning("listing does not advance beyond offset %s: reading ends", offset)
            break
        offset = page.following
    else:
        logger.warning("listing has more than %s pages: reading ends", MAX_PAGES)
    return list(items.values())
