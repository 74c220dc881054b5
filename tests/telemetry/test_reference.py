import pytest

from sweeper.telemetry.catalogue import CATALOGUE, FAMILIES, Family, Part
from sweeper.telemetry.reference import metrics_list, metrics_reference, series_names


def test_the_reference_has_a_line_for_each_family() -> None:
    lines = [line for line in metrics_reference().splitlines() if line.startswith("| `")]

    assert [line.split("`")[1] for line in lines] == [
        series_names(family)[0] for part in Part for family in CATALOGUE if family.part is part
    ]
    assert all(line.count("|") == 5 for line in lines)


def test_a_line_of_the_reference_tells_series_kind_labels_and_meaning() -> None:
    (line,) = (text for text in metrics_reference().splitlines() if "_tick_duration_" in text)

    assert line == (
        "| `sweeper_tick_duration_seconds_bucket`<br>`sweeper_tick_duration_seconds_sum`"
        "<br>`sweeper_tick_duration_seconds_count` | histogram | `sweep` "
        "| Time that one tick takes: read, decide, act, record |"
    )


@pytest.mark.parametrize("name", ["sweeper_preemptions_total", "sweeper_sweep_info"])
def test_all_but_histograms_have_series_of_their_own_name(name: str) -> None:
    assert series_names(FAMILIES[name]) == (name,)


@pytest.mark.parametrize("family", CATALOGUE, ids=lambda family: family.name)
def test_the_list_names_each_family_once(family: Family) -> None:
    assert metrics_list().count(f"`{family.name}`") == 1
