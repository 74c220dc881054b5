import logging

from sweeper.telemetry.holding import MOST_HELD, HeldLines

PLAIN = logging.Formatter("%(levelname)s %(message)s")


def released(held: HeldLines) -> list[str]:
    lines: list[str] = []
    held.release(lines.append)
    return lines


def test_lines_come_out_in_order_and_once() -> None:
    held = HeldLines(PLAIN)
    held("first")
    held("second")

    assert released(held) == ["first", "second"]
    assert released(held) == []


def test_what_is_dropped_never_comes_out() -> None:
    held = HeldLines(PLAIN)
    held("all is well")

    held.drop()

    assert released(held) == []


def test_of_very_many_lines_the_newest_are_kept_and_the_rest_counted() -> None:
    held = HeldLines(PLAIN)
    for number in range(MOST_HELD + 3):
        held(str(number))

    lines = released(held)

    assert lines[0] == "WARNING 3 earlier lines are left out"
    assert lines[1:] == [str(number) for number in range(3, MOST_HELD + 3)]
