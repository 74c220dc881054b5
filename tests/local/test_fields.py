"""Holds `docs/trainings-api.md` against the contract, and each of its claims against a test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.contract import field_names

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "docs" / "trainings-api.md"
ROW = re.compile(r"\| `(?P<field>\S+)` \| (?P<here>[^|]+) \| (?P<how>[^|]+) \| (?P<held>[^|]*)\|")
WORDS = {"honoured", "accepted and stored", "refused"}


def rows() -> Iterator[re.Match[str]]:
    for line in TABLE.read_text().splitlines():
        if line.startswith("| `"):
            row = ROW.fullmatch(line)
            assert row is not None, line
            yield row


def functions_in(file: str) -> set[str]:
    """Return the names of the functions in a file of this folder."""
    tree = ast.parse((HERE / file).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {one.name for one in ast.walk(tree) if isinstance(one, functions)}


def test_every_field_of_the_contract_has_one_row() -> None:
    assert [row["field"] for row in rows()] == list(field_names())


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row["field"])
def test_each_row_says_what_becomes_of_its_field_and_why(row: re.Match[str]) -> None:
    assert row["here"].strip() in WORDS
    assert row["how"].strip().endswith(".")


def test_what_is_honoured_is_held_by_a_test() -> None:
    unheld = []
    for row in rows():
        file, _, name = row["held"].strip().strip("`").partition("::")
        is_held = bool(file) and name in functions_in(file)
        if is_held is not (row["here"].strip() == "honoured"):
            unheld.append(row["field"])

    assert unheld == []
