import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.runai.capabilities import OPEN_CREATE_SECONDS, Capabilities, read_capabilities
from sweeper.runai.tokens import TokenVersion

FOUND = Capabilities(
    probed_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    token_version=TokenVersion.V1,
    listing=True,
    lag_seconds=2.5,
    names_unique=False,
    duplicate_status=400,
    name_freed=True,
    phase_field="",
    labels_returned=True,
    events=False,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@pytest.mark.parametrize("found", [FOUND, Capabilities()], ids=["all", "nothing"])
def test_what_is_written_is_read_again(found: Capabilities) -> None:
    assert read_capabilities(json.loads(json.dumps(found.as_json()))) == found


@given(st.dictionaries(st.sampled_from(sorted(FOUND.as_json())), JSON) | JSON)
def test_anything_can_be_read(value: Any) -> None:
    assert isinstance(read_capabilities(value), Capabilities)


@pytest.mark.parametrize(
    "members",
    [
        {"lag_seconds": -1},
        {"lag_seconds": 1e9},
        {"names_unique": "no"},
        {"duplicate_status": True},
        {"token_version": "auto"},
        {"probed_at": "2026-03-01T12:00:00"},
    ],
)
def test_what_is_odd_counts_as_not_found_out(members: Any) -> None:
    assert read_capabilities(members) == Capabilities()


def test_a_newer_probe_keeps_what_it_did_not_find_out() -> None:
    newer = Capabilities(listing=False)

    assert FOUND.updated(newer).listing is False
    assert FOUND.updated(newer).names_unique is False


@pytest.mark.parametrize(
    ("found", "seconds"),
    [
        (Capabilities(), 20.0),
        (Capabilities(names_unique=True, lag_seconds=9.0), 20.0),
        (Capabilities(names_unique=False), OPEN_CREATE_SECONDS),
        (FOUND, OPEN_CREATE_SECONDS + 2.5),
    ],
)
def test_only_time_settles_a_create_where_names_are_not_unique(
    found: Capabilities, seconds: float
) -> None:
    assert found.quarantine(20.0) == seconds


def test_a_longer_quarantine_stays_as_long_as_it_is() -> None:
    assert FOUND.quarantine(600.0) == 600.0
