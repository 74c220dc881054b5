import pytest

from sweeper.telemetry.catalogue import CATALOGUE, Family, Kind, metrics_reference

_SUFFIXES = {Kind.COUNTER: "_total", Kind.INFO: "_info", Kind.HISTOGRAM: "_seconds"}


def test_no_name_stands_twice() -> None:
    names = [family.name for family in CATALOGUE]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("family", CATALOGUE, ids=lambda family: family.name)
def test_a_name_tells_its_kind(family: Family) -> None:
    assert family.name.startswith("sweeper_")
    assert family.name.endswith(_SUFFIXES.get(family.kind, ""))
    assert family.kind is Kind.COUNTER or not family.name.endswith("_total")


@pytest.mark.parametrize("family", CATALOGUE, ids=lambda family: family.name)
def test_no_label_names_a_trial_or_its_workload(family: Family) -> None:
    allowed = {
        *("sweep", "state", "phase", "kind", "outcome", "by", "cause", "operation", "status"),
        *("reason", "method", "goal", "objective", "version", "python"),
    }

    assert set(family.labels) <= allowed


def test_the_reference_has_a_line_for_each_family() -> None:
    head, rule, *lines = metrics_reference().splitlines()

    assert head == "| Metric | Type | Labels | Meaning |"
    assert rule == "|---|---|---|---|"
    assert [line.split("`")[1] for line in lines] == [family.name for family in CATALOGUE]
    assert all(line.count("|") == 5 for line in lines)


def test_a_line_of_the_reference_tells_kind_labels_and_meaning() -> None:
    (line,) = (text for text in metrics_reference().splitlines() if "_preemptions_" in text)

    assert line == (
        "| `sweeper_preemptions_total` | counter | `sweep` "
        "| Trainings that lost their place to the scheduler |"
    )
