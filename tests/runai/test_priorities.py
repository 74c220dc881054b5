from hypothesis import given
from hypothesis import strategies as st

from sweeper.runai.operations import Operation
from sweeper.runai.priorities import PRIORITIES, SHARE, Line, Priority, Ticket


def joined(line: Line, *priorities: Priority) -> list[Ticket]:
    tickets = [line.join(priority) for priority in priorities]
    assert None not in tickets
    return [ticket for ticket in tickets if ticket is not None]


def served(line: Line) -> list[Ticket]:
    """Serve everybody who waits."""
    order = []
    while (ticket := line.first()) is not None:
        line.serve(ticket)
        order.append(ticket)
    return order


def test_every_call_that_takes_a_slot_has_a_class() -> None:
    assert set(PRIORITIES) == set(Operation) - {Operation.TOKEN}


def test_a_cancel_goes_before_a_look_up_before_a_reading_before_a_resume_before_a_create() -> None:
    operations = [
        Operation.DELETE,
        Operation.FIND,
        Operation.GET,
        Operation.RESUME,
        Operation.CREATE,
    ]

    classes = [PRIORITIES[operation] for operation in operations]

    assert classes == sorted(Priority)


def test_within_a_class_who_came_first_goes_first() -> None:
    line = Line(9)
    tickets = joined(line, *[Priority.OBSERVE] * 9)

    assert served(line) == tickets


def test_one_turn_in_a_few_goes_to_who_has_waited_longest() -> None:
    line = Line(99)
    create, *_ = joined(line, Priority.CREATE, *[Priority.OBSERVE] * 20)

    assert served(line).index(create) == SHARE - 1


def test_turns_that_nobody_fights_over_do_not_count() -> None:
    line = Line(99)
    for _ in range(SHARE - 1):
        joined(line, Priority.OBSERVE)
        served(line)
    create, delete = joined(line, Priority.CREATE, Priority.CANCEL)

    assert served(line) == [delete, create]


def test_a_full_class_takes_nobody_and_leaves_the_others_alone() -> None:
    line = Line(2)
    joined(line, Priority.CREATE, Priority.CREATE)

    assert line.join(Priority.CREATE) is None
    assert line.join(Priority.CANCEL) is not None


def test_who_leaves_twice_leaves_once() -> None:
    line = Line(2)
    first, second = joined(line, Priority.CREATE, Priority.CREATE)

    line.leave(first)
    line.leave(first)

    assert (line.first(), len(line)) == (second, 1)


def test_only_whose_turn_it_is_is_woken() -> None:
    line = Line(2)
    create, delete = joined(line, Priority.CREATE, Priority.CANCEL)

    line.call_first()

    assert (delete.wake.is_set(), create.wake.is_set()) == (True, False)


def test_an_empty_line_calls_nobody() -> None:
    line = Line(2)

    line.call_first()
    line.call_all()

    assert line.first() is None


@given(priorities=st.lists(st.sampled_from(Priority), max_size=60))
def test_everybody_is_served_once_and_nobody_waits_for_more_than_their_share(
    priorities: list[Priority],
) -> None:
    line = Line(60)
    tickets = joined(line, *priorities)

    order = served(line)

    assert sorted(order, key=lambda one: one.number) == tickets
    assert all(order.index(one) < SHARE * one.number for one in tickets)
