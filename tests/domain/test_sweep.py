import pytest

from sweeper.domain.sweep import Goal, ObjectiveSpec, RetryRule, RetrySpec
from sweeper.domain.trial import FailureClass


@pytest.mark.parametrize("failure", FailureClass)
def test_every_class_of_failure_has_a_rule_of_its_own(failure: FailureClass) -> None:
    rule = RetryRule(attempts=99)

    retry = RetrySpec(**{failure.value: rule})

    assert retry.rule(failure) is rule
    assert all(retry.rule(other) != rule for other in FailureClass if other is not failure)


@pytest.mark.parametrize(
    ("goal", "value", "better"),
    [
        (Goal.MINIMIZE, 1.0, True),
        (Goal.MINIMIZE, 2.0, False),
        (Goal.MINIMIZE, 3.0, False),
        (Goal.MAXIMIZE, 3.0, True),
        (Goal.MAXIMIZE, 2.0, False),
        (Goal.MAXIMIZE, 1.0, False),
    ],
)
def test_better_is_strictly_nearer_to_the_goal(goal: Goal, value: float, better: bool) -> None:
    assert ObjectiveSpec(name="loss", goal=goal).better(value, than=2.0) is better
