from typing import ClassVar

from pydantic import TypeAdapter

from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.loading import load
from sweeper.sweepfile.shapes import ForeignSection, Section, read_section, read_value
from tests.sweepfile.files import told


class Inner(Section):
    example: ClassVar[str] = "{count: 1}"

    count: int


class Outer(Section):
    inner: Inner | None = None
    many: dict[str, Inner] | None = None


class Foreign(ForeignSection):
    count: int = 0


def findings_of(text: str) -> Findings:
    return Findings(load(text).root)


def test_a_section_that_fits_is_read() -> None:
    findings = findings_of("a: {inner: {count: 3}}")

    assert read_section(Outer, findings, ("a",)) == Outer(inner=Inner(count=3))
    assert findings.faults == []


def test_the_example_of_a_section_is_in_the_message() -> None:
    findings = findings_of("a: {inner: 3, many: {x: [1]}}")

    assert read_section(Outer, findings, ("a",)) is None
    assert [each.message for each in findings.faults] == [
        "3 is no mapping: write {count: 1}",
        "a list is no mapping: write {count: 1}",
    ]


def test_an_unknown_key_deep_down_gets_the_nearest_one() -> None:
    findings = findings_of("a:\n  many:\n    x: {count: 1, cuont: 2}")

    read_section(Outer, findings, ("a",))

    (fault,) = findings.faults
    assert told(fault) == (3, 19, "a.many.x.cuont")
    assert "did you mean count?" in fault.message


def test_w_and_bs_sections_may_hold_more() -> None:
    findings = findings_of("a: {count: 1, weather: 2}")

    assert read_section(Foreign, findings, ("a",)) == Foreign(count=1)
    assert [told(each) for each in findings.violations] == [(1, 15, "a.weather")]


def test_a_single_value_is_read() -> None:
    findings = findings_of("a: 3\nb: x")

    assert read_value(TypeAdapter(int), findings, ("a",)) == 3
    assert read_value(TypeAdapter(int), findings, ("b",)) is None
    assert [each.path for each in findings.faults] == ["b"]


def test_what_has_no_words_of_ours_keeps_pydantics() -> None:
    findings = findings_of("a: {x: 1, y: 2}")

    read_value(TypeAdapter(tuple[int, int]), findings, ("a",))

    assert "tuple" in findings.faults[0].message
