import pytest
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, select

from sweeper.store.upserting import Upsert

_TABLE = Table(
    "things",
    MetaData(),
    Column("key", Integer, primary_key=True),
    Column("replaced", Integer),
    Column("kept", Integer),
    Column("added", Integer),
)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_row_is_written_once_and_changed_from_then_on(times: int) -> None:
    upsert = Upsert(_TABLE, ["key"], replaced=["replaced"], added="added")
    with create_engine("sqlite://").begin() as connection:
        _TABLE.metadata.create_all(connection)
        for turn in range(1, times + 1):
            row = {"key": 1, "replaced": turn, "kept": turn, "added": 10}
            upsert.execute(connection, [row, row | {"key": -turn}])

        found = connection.execute(select(_TABLE).where(_TABLE.c.key == 1)).one()

    assert tuple(found) == (1, times, 1, 10 * times)
