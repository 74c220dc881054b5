import pytest

from sweeper.errors import Fault
from sweeper.sweepfile.findings import MAX_FAULTS, Findings, TooManyFaults
from sweeper.sweepfile.loading import load
from tests.sweepfile.files import told


def findings_of(text: str) -> Findings:
    return Findings(load(text).root)


def test_findings_come_in_the_order_of_the_file() -> None:
    findings = findings_of("a: 1\nb: 2\nc: 3")

    for key in ("c", "a", "b"):
        findings.fault((key,), "wrong")
        findings.warning((key,), "odd")
        findings.violation((key,), "strange", key=True)

    assert [each.path for each in findings.faults] == ["a", "b", "c"]
    assert [told(each) for each in findings.warnings] == [(1, 4, "a"), (2, 4, "b"), (3, 4, "c")]
    assert [told(each) for each in findings.violations] == [(1, 1, "a"), (2, 1, "b"), (3, 1, "c")]


def test_only_the_first_fault_of_a_value_counts() -> None:
    findings = findings_of("a: 1")

    findings.fault(("a",), "first")
    findings.fault(("a",), "second")

    assert [each.message for each in findings.faults] == ["first"]


def test_a_file_that_is_wrong_everywhere_is_given_up() -> None:
    findings = findings_of("a: 1")
    for line in range(MAX_FAULTS - 1):
        findings.add(Fault(line=line, column=1, path="a", message="wrong"))

    with pytest.raises(TooManyFaults):
        findings.fault(("a",), "wrong")


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("metod", "method"),
        ("Method", "method"),
        ("run-cap", "run_cap"),
        ("apiversion", "apiVersion"),
        ("notes", None),
        ("method" * 20, None),
    ],
)
def test_the_nearest_key_is_one_that_resembles(key: str, near: str | None) -> None:
    known = ("method", "run_cap", "apiVersion")

    assert findings_of("a: 1").nearest(key, known) == near


def test_suggestions_end_when_everything_is_unknown() -> None:
    findings = findings_of("a: 1")

    found = [findings.nearest("metod", ("method",)) for _ in range(300)]

    assert (found[0], found[-1]) == ("method", None)


def test_a_fault_below_a_path_counts_for_it() -> None:
    findings = findings_of("a: {b: [1]}\nab: 1")

    findings.fault(("a", "b", 0), "wrong")

    assert findings.has_faults(("a",))
    assert findings.has_faults(("a", "b"))
    assert not findings.has_faults(("ab",))
