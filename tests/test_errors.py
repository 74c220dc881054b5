import inspect
from dataclasses import FrozenInstanceError

import pytest

from sweeper import errors
from sweeper.errors import (
    AmbiguousError,
    Fault,
    MissingExtraError,
    RejectedError,
    SweeperError,
    SweepFileError,
    TransientError,
    UserError,
    describe_fault,
)

_FAULT = Fault(line=3, column=7, path="parameters.lr", message="min 0.1 is above max 0.01")


def _classes() -> list[type[SweeperError]]:
    found = [value for _, value in inspect.getmembers(errors, inspect.isclass)]
    return [value for value in found if issubclass(value, SweeperError)]


def test_the_docstring_draws_the_tree() -> None:
    drawn: dict[str, int] = {}
    for line in (errors.__doc__ or "").splitlines():
        place, found, rest = line.partition("── ")
        if found:
            drawn[rest.split()[0]] = (len(place) + 3) // 4

    depths = {kind.__name__: len(kind.__mro__) - len(SweeperError.__mro__) for kind in _classes()}
    assert drawn == {name: depth for name, depth in depths.items() if depth}


@pytest.mark.parametrize("kind", _classes(), ids=lambda kind: kind.__name__)
def test_every_error_says_what_it_means(kind: type[SweeperError]) -> None:
    assert kind.__doc__ not in {None, *(base.__doc__ for base in kind.__mro__[1:])}


def test_a_fault_is_told_with_its_place_and_path() -> None:
    assert describe_fault("a.yaml", _FAULT) == (
        "a.yaml:3:7: parameters.lr: min 0.1 is above max 0.01"
    )


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(line=0, column=0, path="", message="is empty"), "a.yaml: is empty"),
        (Fault(line=0, column=0, path="method", message="missing"), "a.yaml: method: missing"),
        (Fault(line=2, column=1, path="", message="a tab"), "a.yaml:2:1: a tab"),
    ],
)
def test_a_fault_of_the_whole_file_has_no_place(fault: Fault, words: str) -> None:
    assert describe_fault("a.yaml", fault) == words


def test_a_fault_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        _FAULT.line = 4  # type: ignore[misc] # what the test is about


def test_all_faults_of_a_file_are_told_at_once_in_order() -> None:
    second = Fault(line=9, column=1, path="x", message="unknown key")

    error = SweepFileError("a.yaml", [_FAULT, second])

    assert error.faults == (_FAULT, second)
    assert str(error).splitlines() == [
        "a.yaml:3:7: parameters.lr: min 0.1 is above max 0.01",
        "a.yaml:9:1: x: unknown key",
    ]
    assert isinstance(error, UserError)


def test_a_missing_part_comes_with_the_command_that_installs_it() -> None:
    error = MissingExtraError("method bayes", "search")

    assert error.extra == "search"
    assert str(error) == "method bayes needs an optional part: pip install 'sweeper[search]'"


@pytest.mark.parametrize("kind", [TransientError, AmbiguousError])
def test_a_wait_that_was_asked_for_is_kept(
    kind: type[TransientError] | type[AmbiguousError],
) -> None:
    assert kind("busy", retry_after=2.5).retry_after == 2.5
    assert kind("busy").retry_after is None


def test_a_refusal_says_whether_a_policy_was_broken() -> None:
    assert RejectedError("no", compliance=True).compliance is True
    assert RejectedError("no").compliance is False
