from sweeper.exports.rows import columns_of, flat
from tests.exports.rows import a_row


def test_nested_params_get_dotted_columns() -> None:
    row = {"trial": 1, "params": {"opt": {"name": "sgd", "beta": {"a": 1}}, "layers": [1, 2]}}

    assert flat(row) == {
        "trial": 1,
        "params.opt.name": "sgd",
        "params.opt.beta.a": 1,
        "params.layers": [1, 2],
    }


def test_a_parameter_called_like_a_column_hides_none() -> None:
    assert flat({"trial": 1, "params": {"trial": 2}}) == {"trial": 1, "params.trial": 2}


def test_an_empty_nested_parameter_keeps_its_column() -> None:
    assert flat({"params": {"opt": {}}}) == {"params.opt": {}}


def test_params_that_are_no_object_stay_a_column() -> None:
    assert flat({"params": None}) == {"params": None}


def test_columns_are_those_of_all_rows_with_params_together() -> None:
    rows = [a_row(params={"lr": 1}), a_row(params={"momentum": 2}, extra=3)]

    columns = columns_of(rows)

    assert columns[:4] == ["trial", "state", "params.lr", "params.momentum"]
    assert columns[-1] == "extra"
    assert len(columns) == 12


def test_rows_without_params_keep_their_order() -> None:
    assert columns_of([{"b": 1, "a": 2}]) == ["b", "a"]
