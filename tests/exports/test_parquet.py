import io
from datetime import UTC, datetime
from typing import Any

import pytest
from pyarrow import Table, parquet

from sweeper.exports.parquet import write_parquet
from tests.exports.rows import a_row


def written(rows: list[dict[str, Any]]) -> Table:
    sink = io.BytesIO()
    write_parquet(rows, sink)
    return parquet.read_table(io.BytesIO(sink.getvalue()))


def test_a_parquet_file_has_a_row_for_each_trial_and_a_column_for_each_parameter() -> None:
    rows = [a_row(0, params={"lr": 0.1}), a_row(1, params={"momentum": 0.9}, objective=-0.5)]

    table = written(rows)

    assert table.column("params.lr").to_pylist() == [0.1, None]
    assert table.column("params.momentum").to_pylist() == [None, 0.9]
    assert table.column("objective").to_pylist() == [None, -0.5]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        pytest.param([True, False], "bool", [True, False], id="booleans"),
        pytest.param([1, 2], "int64", [1, 2], id="whole"),
        pytest.param([1, 0.5], "double", [1.0, 0.5], id="whole and floating"),
        pytest.param([1, True], "string", ["1", "true"], id="a boolean is no number"),
        pytest.param(["a", 1], "string", ["a", "1"], id="texts and numbers"),
        pytest.param([[1, 2], "x"], "string", ["[1, 2]", "x"], id="lists"),
        pytest.param([2**64, 1], "string", [str(2**64), "1"], id="beyond 64 bits"),
        pytest.param([2**53 + 1, 0.5], "string", [str(2**53 + 1), "0.5"], id="not exact"),
        pytest.param(["\ud800", "b"], "string", ["\\ud800", "b"], id="lone surrogate"),
    ],
)
def test_a_column_has_the_type_that_changes_none_of_its_values(
    values: list[Any], kind: str, expected: list[Any]
) -> None:
    rows = [a_row(number, params={"p": value}) for number, value in enumerate(values)]

    column = written(rows).column("params.p")

    assert (str(column.type), column.to_pylist()) == (kind, expected)


def test_objectives_are_floating_numbers_even_where_none_was_reported() -> None:
    assert str(written([a_row(0, objective=None)]).column("objective").type) == "double"


def test_times_are_times() -> None:
    (time,) = written([a_row(0, ended_at="2026-03-01T12:00:00.5Z")]).column("ended_at").to_pylist()

    assert time == datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)


def test_a_sweep_without_trials_gives_a_file_without_rows() -> None:
    assert written([]).num_rows == 0
