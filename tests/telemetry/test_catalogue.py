import pytest

from sweeper.telemetry.catalogue import CATALOGUE, Family, Kind

_SUFFIXES = {Kind.COUNTER: "_total", Kind.INFO: "_info", Kind.HISTOGRAM: "_seconds"}


def test_no_name_stands_twice() -> None:
    names = [family.name for family in CATALOGUE]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("family", CATALOGUE, ids=lambda family: family.name)
def test_a_name_tells_its_kind(family: Family) -> None:
    assert family.name.startswith("sweeper_")
    assert family.name.endswith(_SUFFIXES.get(family.kind, ""))
    assert family.kind is Kind.COUNTER or not family.name.endswith("_total")


_BOUNDED = [family for family in CATALOGUE if family.name != "sweeper_training_info"]


@pytest.mark.parametrize("family", _BOUNDED, ids=lambda family: family.name)
def test_no_label_names_a_trial_or_its_workload(family: Family) -> None:
    allowed = {
        *("sweep", "state", "phase", "kind", "outcome", "by", "cause", "operation", "status"),
        *("reason", "method", "goal", "objective", "version", "python", "sqlite", "use", "table"),
    }

    assert set(family.labels) <= allowed
