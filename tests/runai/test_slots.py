from sweeper.runai.slots import Slots


def test_as_many_may_be_taken_as_there_are() -> None:
    slots = Slots(2)

    slots.take()
    assert slots.has_free
    slots.take()
    assert not slots.has_free
    slots.free()
    assert slots.has_free


def test_a_cut_leaves_one_at_least() -> None:
    slots = Slots(8)

    slots.cut()
    assert slots.allowed == 5
    for _ in range(9):
        slots.cut()

    assert slots.allowed == 1


def test_a_good_round_allows_one_more_up_to_the_most() -> None:
    slots = Slots(3)
    slots.restart()

    allowed = []
    for _ in range(6):
        slots.answered()
        allowed.append(slots.allowed)

    assert allowed == [2, 2, 2, 3, 3, 3]


def test_calls_under_way_may_be_more_than_are_allowed_now() -> None:
    slots = Slots(4)
    for _ in range(4):
        slots.take()

    slots.restart()
    slots.free()

    assert not slots.has_free
