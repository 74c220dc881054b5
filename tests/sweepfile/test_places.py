import pytest

from sweeper.sweepfile.loading import load
from sweeper.sweepfile.places import Place, dotted, legible, place_of


def test_what_is_not_there_stands_where_it_should_have_been() -> None:
    root = load("a:\n  b: {c: 1}\n").root

    assert place_of(root, ("a", "b", "d", "e")) == Place(2, 3)
    assert place_of(root, ("z",)) == Place(1, 1)


def test_a_value_can_be_told_from_its_key() -> None:
    root = load("a: 1").root

    assert place_of(root, ("a",)) == Place(1, 4)
    assert place_of(root, ("a",), key=True) == Place(1, 1)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("a",), "a"),
        (("a", "b.c", 3, "d"), "a.b.c[3].d"),
        (("x" * 70,), "x" * 59 + "…"),
        (("a\x1b[2Jb",), r"a\x1b[2Jb"),
    ],
)
def test_a_path_is_short_and_harmless_text(path: tuple[str | int, ...], text: str) -> None:
    assert dotted(path) == text


def test_printable_text_is_left_as_it_is() -> None:
    assert legible("größe µ") == "größe µ"


def test_a_step_that_does_not_fit_leads_nowhere() -> None:
    root = load("a: [1]\nb: {c: 1}").root

    assert root.child(0) is None
    assert root.members["a"].child("x") is None
    assert root.members["a"].child(1) is None
