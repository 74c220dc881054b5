"""Every target takes whatever was kept for it, parts of that put together anew, and any bytes."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import CORPUS, TARGETS, kept

CASES = [(name, file) for name in TARGETS for file in kept(name)]


@pytest.mark.parametrize(("name", "file"), CASES, ids=[f"{n}-{f.name}" for n, f in CASES])
def test_what_was_kept_is_taken(name: str, file: Path) -> None:
    TARGETS[name](file.read_bytes())


def test_every_target_has_a_corpus_and_every_corpus_a_target() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_kept_inputs_put_together_anew_are_taken(name: str, data: st.DataObject) -> None:
    one, other = (data.draw(st.sampled_from(kept(name))).read_bytes() for _ in range(2))
    begin = data.draw(st.integers(0, len(one)))
    end = data.draw(st.integers(0, len(other)))
    between = data.draw(st.binary(max_size=8))

    TARGETS[name](one[:begin] + between + other[end:])


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_taken(name: str, data: bytes) -> None:
    TARGETS[name](data)
