from hypothesis import given
from hypothesis import strategies as st

from sweeper.store.chunking import CHUNK, chunks


@given(st.integers(0, 3 * CHUNK + 1))
def test_chunks_are_the_items_in_order_and_bounded(count: int) -> None:
    items = range(count)

    found = list(chunks(items))

    assert [item for chunk in found for item in chunk] == list(items)
    assert all(0 < len(chunk) <= CHUNK for chunk in found)
