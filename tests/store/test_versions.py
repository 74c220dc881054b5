from collections.abc import Mapping

import pytest

from sweeper.errors import StoreError
from sweeper.store.versions import check_versions
from tests.store.builders import a_trial


def test_trials_over_the_rows_that_were_read_pass() -> None:
    check_versions([a_trial(0, version=3), a_trial(1)], {0: 3, 7: 1})


@pytest.mark.parametrize("stored", [{}, {0: 1}, {0: 3}], ids=["no row", "older", "newer"])
def test_a_trial_over_another_version_is_refused(stored: Mapping[int, int]) -> None:
    with pytest.raises(StoreError, match="changed meanwhile"):
        check_versions([a_trial(0, version=2)], stored)


def test_a_trial_that_occurs_twice_is_refused() -> None:
    with pytest.raises(StoreError, match="trial 4 occurs twice"):
        check_versions([a_trial(4), a_trial(4)], {})
