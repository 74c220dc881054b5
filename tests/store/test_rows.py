from dataclasses import MISSING, Field, fields
from typing import Any

import pytest
from sqlalchemy import Table

from sweeper.domain.outbox import Notice
from sweeper.domain.record import Event, ObjectiveValue, Report, SweepRecord, Wish
from sweeper.domain.trial import Submission, Trial
from sweeper.store import tables
from tests.store.builders import a_full_event, a_full_sweep, a_full_trial


@pytest.mark.parametrize(
    ("kind", "table", "elsewhere"),
    [
        pytest.param(SweepRecord, tables.sweeps, set(), id="sweep"),
        pytest.param(Trial, tables.trials, {"submission"}, id="trial"),
        pytest.param(Submission, tables.submissions, set(), id="submission"),
        pytest.param(Event, tables.events, set(), id="event"),
        pytest.param(Report, tables.reports, set(), id="report"),
        pytest.param(ObjectiveValue, tables.objectives, set(), id="objective"),
        pytest.param(Wish, tables.wishes, set(), id="wish"),
        pytest.param(Notice, tables.notices, set(), id="notice"),
    ],
)
def test_every_field_has_a_column(kind: type, table: Table, elsewhere: set[str]) -> None:
    assert {field.name for field in fields(kind)} - elsewhere <= {*table.c.keys()}


def _defaults(value: Any) -> set[str]:
    """Return the fields of a value that have their default."""

    def default(field: Field[Any]) -> Any:
        return field.default if field.default_factory is MISSING else field.default_factory()

    return {field.name for field in fields(value) if getattr(value, field.name) == default(field)}


@pytest.mark.parametrize(
    ("value", "given_by_the_store"),
    [
        pytest.param(a_full_sweep(), set(), id="sweep"),
        pytest.param(a_full_trial(), {"version"}, id="trial"),
        pytest.param(a_full_trial().submission, set(), id="submission"),
        pytest.param(a_full_event(), {"number", "epoch"}, id="event"),
    ],
)
def test_a_full_value_would_show_a_field_that_is_not_kept(
    value: Any, given_by_the_store: set[str]
) -> None:
    assert _defaults(value) == given_by_the_store
