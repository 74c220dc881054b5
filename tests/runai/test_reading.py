from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.phase import Phase
from sweeper.domain.values import JsonValue
from sweeper.errors import AmbiguousError, TransientError
from sweeper.runai.operations import Operation
from sweeper.runai.reading import (
    Named,
    read_clusters,
    read_events,
    read_page,
    read_projects,
    read_training,
)
from tests.runai.scripted import WORKLOAD_ID

KEYS = [
    *("workloads", "events", "projects", "clusters", "next", "id", "workloadId", "uuid", "name"),
    *("type", "phase", "actualPhase", "spec", "labels", "value", "createdAt", "deletedAt"),
    *("message", "reason"),
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.sampled_from(["Training", "Running", WORKLOAD_ID, "2026-03-01T12:00:00Z", "exit code 3"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=30,
)


@given(JSON)
def test_any_json_is_read_or_refused(body: JsonValue) -> None:
    read_page(body)
    read_events(body)
    read_projects(body)
    read_clusters(body)
    with suppress(TransientError):
        read_training(Operation.GET, body, "")


def test_an_answer_without_an_id_leaves_a_create_open() -> None:
    with pytest.raises(AmbiguousError, match="the answer to create names no training"):
        read_training(Operation.CREATE, {"name": "a"}, "a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T14:00:00+02:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00.123456789Z", datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        ("", None),
        (7, None),
        (None, None),
    ],
    ids=repr,
)
def test_times_are_read_in_every_usual_spelling(text: JsonValue, expected: datetime | None) -> None:
    page = read_page({"workloads": [{"id": WORKLOAD_ID, "name": "a", "createdAt": text}]})

    assert page.items[0].created_at == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("the process ended with exit code 3", 3),
        ("Container exited with code 137 (OOMKilled)", 137),
        ("exit status 1", 1),
        ("Exit Code: 0", 0),
        ("exit code -9", -9),
        ("exit code 12345", None),
        ("the exit was closed", None),
        ("", None),
    ],
)
def test_an_exit_code_is_read_where_the_message_names_one(
    message: str, expected: int | None
) -> None:
    (event,) = read_events({"events": [{"message": message}]})

    assert event.exit_code == expected


def test_events_come_newest_first_and_those_without_a_time_last() -> None:
    times = [None, "2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"]
    items: list[JsonValue] = [{"createdAt": at, "reason": str(at)} for at in times]

    events = read_events({"events": items})

    assert [event.reason for event in events] == [times[2], times[1], "None"]


def test_what_a_server_says_of_a_training_is_made_harmless() -> None:
    item: JsonValue = {"id": WORKLOAD_ID, "name": "a", "phaseMessage": "\x1b[2J" + "x" * 5000}

    (one,) = read_page({"workloads": [item]}).items

    assert one.message.isprintable()
    assert len(one.message) < 600


@pytest.mark.parametrize(
    ("kind", "count"),
    [("Training", 1), ("training", 1), (None, 1), (7, 1), ("Workspace", 0), ("", 0)],
    ids=repr,
)
def test_only_trainings_are_taken_from_the_listing(kind: JsonValue, count: int) -> None:
    item: JsonValue = {"id": WORKLOAD_ID, "name": "a", "type": kind}

    assert len(read_page({"workloads": [item]}).items) == count


@pytest.mark.parametrize(
    ("following", "expected"),
    [(500, 500), (-1, -1), (None, None), ("500", None), (True, None), (1.5, None)],
    ids=repr,
)
def test_only_a_number_leads_to_the_next_page(following: JsonValue, expected: int | None) -> None:
    assert read_page({"workloads": [], "next": following}).following == expected


def test_the_phase_is_read_from_either_key() -> None:
    new = read_training(Operation.GET, {"id": WORKLOAD_ID, "phase": "Failed"}, "")
    both: JsonValue = {"workloadId": WORKLOAD_ID, "actualPhase": "Running", "phase": "Failed"}

    assert new.phase is Phase.FAILED
    assert read_training(Operation.GET, both, "").phase is Phase.RUNNING


def test_labels_without_a_name_or_a_value_are_left_out() -> None:
    labels: JsonValue = [{"name": "a", "value": "1"}, {"name": "b"}, {"value": "2"}, None]
    body: JsonValue = {"workloadId": WORKLOAD_ID, "spec": {"labels": labels}}

    assert read_training(Operation.GET, body, "").labels == {"a": "1"}


def test_clusters_are_read_from_both_shapes() -> None:
    item: JsonValue = {"uuid": "u", "name": "n"}

    assert read_clusters([item]) == read_clusters({"clusters": [item]}) == [Named(id="u", name="n")]
