import csv
import io
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.exports.texts import to_csv, to_json
from tests.exports.rows import a_row


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_csv_file_has_a_line_for_each_row() -> None:
    rows = [a_row(0, params={"lr": 0.1}), a_row(1, params={"momentum": 0.9}, objective=-0.5)]

    first, second = read_csv("".join(to_csv(rows)))

    assert (first["params.lr"], first["params.momentum"], first["objective"]) == ("0.1", "", "")
    assert (second["params.momentum"], second["objective"]) == ("0.9", "-0.5")


def test_given_columns_are_the_only_ones() -> None:
    assert list(to_csv([a_row(7)], ["state", "trial"])) == ["state,trial\n", "completed,7\n"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x"])
def test_a_text_that_looks_like_a_formula_is_none(text: str) -> None:
    (row,) = read_csv("".join(to_csv([{"cell": text}])))

    assert row["cell"] == f"'{text}"


def test_a_negative_number_stays_a_number() -> None:
    (row,) = read_csv("".join(to_csv([{"cell": -1e-4}])))

    assert float(row["cell"]) == -1e-4


@given(st.lists(st.dictionaries(st.text(), st.text(), min_size=1), min_size=1, max_size=4))
def test_whatever_the_texts_every_row_stays_one_line_that_can_be_printed(
    params: list[dict[str, str]],
) -> None:
    lines = list(to_csv([a_row(number, params=point) for number, point in enumerate(params)]))

    assert len(lines) == len(params) + 1
    assert all(line.encode().count(b"\n") == 1 for line in lines)
    assert len({len(cells) for cells in csv.reader(lines)}) == 1


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.text(), _JSON, max_size=3), max_size=4))
def test_json_gives_back_what_went_in(rows: list[dict[str, Any]]) -> None:
    text = "".join(to_json(rows))

    assert json.loads(text) == rows
    assert text.isascii()


def test_rows_stream_through() -> None:
    def endless() -> Iterator[dict[str, Any]]:
        number = 0
        while True:
            yield a_row(number)
            number += 1

    assert len(list(islice(to_csv(endless(), ["trial"]), 3))) == 3
    assert len(list(islice(to_json(endless()), 3))) == 3
