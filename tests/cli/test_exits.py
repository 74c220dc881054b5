import pytest

from sweeper import errors
from sweeper.cli.exits import Exit, exit_of


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.SettingsError("x"), Exit.USAGE),
        (errors.SweepFileError("f", []), Exit.USAGE),
        (errors.MissingExtraError("x", "search"), Exit.USAGE),
        (errors.SweepOwnedError("x"), Exit.OWNED),
        (errors.SweepTakenError("x"), Exit.OWNED),
        (errors.StoreAwayError("x"), Exit.INTERNAL),
        (errors.StuckTickError("x"), Exit.STUCK),
        (errors.StoreError("x"), Exit.INTERNAL),
        (errors.InvalidTransitionError("x"), Exit.INTERNAL),
    ],
)
def test_an_error_leads_to_the_documented_code(error: errors.SweeperError, code: Exit) -> None:
    assert exit_of(error) is code


def test_the_codes_are_those_of_the_readme() -> None:
    assert [int(code) for code in Exit] == [0, 1, 2, 3, 4, 70, 71, 130, 143]
