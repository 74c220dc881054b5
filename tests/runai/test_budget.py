from hypothesis import given
from hypothesis import strategies as st

from sweeper.runai.budget import MOST_REPEATS, SHARE_OF_ANSWERS, RetryBudget


def test_some_repeats_are_there_at_the_start() -> None:
    budget = RetryBudget()

    granted = sum(budget.spend() for _ in range(100))

    assert granted == MOST_REPEATS


def test_ten_good_answers_earn_one_repeat() -> None:
    budget = RetryBudget()
    while budget.spend():
        pass

    for _ in range(10):
        budget.answered()

    assert [budget.spend(), budget.spend()] == [True, False]


@given(acts=st.lists(st.booleans(), max_size=300))
def test_repeats_never_exceed_their_share_of_the_answers(acts: list[bool]) -> None:
    budget, answers, repeats = RetryBudget(), 0, 0

    for is_answer in acts:
        if is_answer:
            budget.answered()
            answers += 1
        else:
            repeats += budget.spend()

    assert repeats <= MOST_REPEATS + SHARE_OF_ANSWERS * answers + 1e-6
