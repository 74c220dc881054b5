from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from sweeper.local.filters import Query, QueryError, Term, conditions, ordering, read_filter
from sweeper.local.tables import trainings

CONSTANTS = {"type": "Training"}


def test_a_filter_is_a_list_of_items_joined_by_commas() -> None:
    found = read_filter(["name=^abc-,projectId==1", "createdAt>=2026-01-01T00:00:00Z"])

    assert found == [
        Term(field="name", operator="=^", value="abc-"),
        Term(field="projectId", operator="==", value="1"),
        Term(field="createdAt", operator=">=", value="2026-01-01T00:00:00Z"),
    ]


@pytest.mark.parametrize("operator", ["==", "!=", "<=", ">=", "=@", "!@", "=^", "=$"])
def test_every_operator_is_read(operator: str) -> None:
    assert read_filter([f"name{operator}"])[0].operator == operator


@pytest.mark.parametrize("text", ["name", "name=x", "==x", "na me==x", " name==x", "name~~x"])
def test_an_item_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="not a field, an operator"):
        read_filter([text])


def test_too_many_items_are_refused() -> None:
    with pytest.raises(QueryError, match="more than 50"):
        read_filter([",".join(["name==x"] * 51)])


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("label==x", "unknown field 'label'"),
        ("createdAt=^2026", "is a time"),
        ("allocatedGPU=@1", "is a number"),
        ("allocatedGPU>=many", "is no number"),
        ("idleGpus>=inf", "is no number"),
        ("createdAt>=yesterday", "is no time such as"),
        ("createdAt>=0001-01-01T00:00:00+23:00", "is no time such as"),
    ],
)
def test_a_test_that_makes_no_sense_is_refused(item: str, words: str) -> None:
    query = Query(terms=read_filter([item]))

    with pytest.raises(QueryError, match=words):
        conditions(query, CONSTANTS)


def test_sorting_by_an_unknown_field_is_refused() -> None:
    with pytest.raises(QueryError, match="sortBy: unknown field 'label'"):
        ordering(Query(sort_by="label"), CONSTANTS)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=3), st.text(max_size=10), st.booleans())
def test_any_text_is_a_query_or_refused(items: list[str], word: str, flag: bool) -> None:
    answer: Any = None
    try:
        query = Query(terms=read_filter(items), search=word, sort_by=word or "name", deleted=flag)
        answer = (
            select(trainings)
            .where(*conditions(query, CONSTANTS))
            .order_by(*ordering(query, CONSTANTS))
        )
    except QueryError as error:
        answer = str(error)

    assert str(answer)
