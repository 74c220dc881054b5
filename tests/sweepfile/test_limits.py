from datetime import timedelta
from fractions import Fraction

import pytest

from sweeper.domain.sweep import LimitsSpec
from tests.sweepfile.files import PLAIN, a_context, faults_of, spec_of, the_fault, told, with_spec


def limits(written: str) -> LimitsSpec:
    return spec_of(PLAIN + f"limits: {written}").limits


def test_every_limit_is_read() -> None:
    found = spec_of(
        PLAIN
        + "run_cap: 9\nlimits: {active: 40, pending: 10, gpus: 2.5, submit_per_minute: 60, "
        + "failures: 5, deadline: 2d, max_trials: 1e3}"
    ).limits

    assert found == LimitsSpec(
        active=40,
        pending=10,
        gpus=Fraction(5, 2),
        submit_per_minute=60,
        failures=5,
        deadline=timedelta(days=2),
        max_trials=1000,
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [("0.1", Fraction(1, 10)), ("0.3", Fraction(3, 10)), ("16", Fraction(16)), ("1e2", 100)],
)
def test_fractions_of_gpus_are_exact(written: str, meant: Fraction) -> None:
    assert limits(f"{{gpus: {written}}}").gpus == meant


@pytest.mark.parametrize(("written", "share"), [("10%", 0.1), ("0.5 %", 0.005), ("100%", 1.0)])
def test_failures_may_be_a_share(written: str, share: float) -> None:
    found = limits(f"{{failures: {written}}}")

    assert (found.failures, found.failures_ratio) == (None, share)


@pytest.mark.parametrize("written", ["", "{}", "{pending: 2}"])
def test_a_local_sweep_has_as_many_slots_as_cpus(written: str) -> None:
    found = spec_of(PLAIN + f"limits: {written}", a_context(default_active_local=6))

    assert found.limits.active == 6


def test_a_sweep_on_run_ai_has_eight_slots_unless_it_runs_here() -> None:
    text = with_spec("{image: x, command: python}")

    assert spec_of(text).limits.active == 8
    assert spec_of(text, a_context(local=True)).limits.active == 4


@pytest.mark.parametrize(
    ("written", "path", "said"),
    [
        ("8", "limits", "8 is no mapping: write {active: 8}"),
        ("{active: 0}", "limits.active", "0 is too small: write 1 or more"),
        ("{active: '8'}", "limits.active", '"8" is no whole number'),
        ("{active: true}", "limits.active", "true is no whole number"),
        ("{active: 2.5}", "limits.active", "2.5 is no whole number"),
        ("{active: 1e30}", "limits.active", "is too large"),
        ("{gpus: 0}", "limits.gpus", "0 is not above 0"),
        ("{gpus: half}", "limits.gpus", '"half" is text'),
        ("{failures: 0}", "limits.failures", "write 5, or 10%"),
        ("{failures: 0%}", "limits.failures", "write 5, or 10%"),
        ("{failures: 101%}", "limits.failures", "write 5, or 10%"),
        ("{failures: 0.1}", "limits.failures", "write 5, or 10%"),
        ("{deadline: 0}", "limits.deadline", "write more than 0"),
        ("{deadline: soon}", "limits.deadline", '"soon" is no length of time'),
        ("{actve: 1}", "limits.actve", "did you mean active?"),
        ("{gpu_hours: 100}", "limits.gpu_hours", "this version does not carry out gpu_hours"),
    ],
)
def test_a_wrong_limit_is_a_fault(written: str, path: str, said: str) -> None:
    fault = the_fault(PLAIN + f"limits: {written}")

    assert (fault.line, fault.path) == (6, path)
    assert said in fault.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("parameters: {a: {min: 1, max: 101}}", "101 trials, more than 100"),
        ("parameters: {a: {min: 1, max: 1000000000}}\nrepeats: 3", "3,000,000,000 trials"),
        ("parameters: {a: {min: 1, max: 1000000000000000000000}}", "over 10^18 trials"),
    ],
)
def test_a_sweep_of_more_trials_than_wanted_is_refused(text: str, said: str) -> None:
    fault = the_fault(f"method: grid\nprogram: x\nlimits: {{max_trials: 100}}\n{text}")

    assert told(fault) == (3, 22, "limits.max_trials")
    assert said in fault.message


def test_a_sweep_without_end_has_more_trials_than_any_limit() -> None:
    assert "no end of trials" in the_fault(PLAIN + "limits: {max_trials: 100}").message
    assert spec_of(PLAIN + "limits: {max_trials: 100}\nrun_cap: 100").run_cap == 100


def test_all_wrong_limits_are_told() -> None:
    found = faults_of(PLAIN + "limits: {active: 0, pending: 0, foo: 1, gpu_hours: 2}")

    assert [each.path for each in found] == [
        "limits.active",
        "limits.pending",
        "limits.foo",
        "limits.gpu_hours",
    ]
