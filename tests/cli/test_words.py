import pytest

from sweeper.cli.words import columns, duration, field, shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (-3, "0s"), (42.9, "42s"), (185, "3m05s"), (25_920, "7h12m"), (183_600, "2d03h")],
)
def test_durations_have_two_units_at_most(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_words_of_others_cannot_control_a_terminal() -> None:
    assert shown("a\x1b[2Jb\nc") == "a\\x1b[2Jb\\nc"
    assert len(shown("x" * 600)) == 500


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert columns([("A", "B"), ("long", "x")]) == "A     B\nlong  x"


def test_a_field_lines_up_with_its_neighbours() -> None:
    assert field("state", "open") == "state:   open"
