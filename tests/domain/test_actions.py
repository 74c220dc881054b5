from sweeper.domain.actions import Delete, Inspect, LookUp, Record, Resume, Submit, Suspend


def test_an_overload_starves_new_work_first_and_cancels_last() -> None:
    kinds = [Submit, Resume, Suspend, Inspect, LookUp, Delete, Record]

    by_urgency = sorted(kinds, key=lambda kind: kind.urgency)

    assert by_urgency == kinds[::-1]
