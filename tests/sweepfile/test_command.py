import pytest

from tests.sweepfile.files import PLAIN, faults_of, read, spec_of, the_fault


def test_words_are_kept_and_numbers_spelled() -> None:
    found = spec_of(PLAIN + "command: [python, -m, '${args}', 3, 1e-5, '']").command

    assert found == ("python", "-m", "${args}", "3", "1e-05", "")


@pytest.mark.parametrize("written", ["", "command:\n", "command: ~\n"])
def test_without_a_command_w_and_bs_default_is_started(written: str) -> None:
    found = read(PLAIN + written)

    assert found.spec.command is None
    assert found.warnings == ()


@pytest.mark.parametrize("written", ["python train.py", "{a: b}", "3"])
def test_a_command_that_is_no_list_is_ignored_as_by_w_and_b(written: str) -> None:
    found = read(PLAIN + f"command: {written}")

    assert found.spec.command is None
    assert "W&B's default started" in found.violations[0].message


def test_an_empty_command_is_the_default_too() -> None:
    found = read(PLAIN + "command: []")

    assert found.spec.command is None
    assert "an empty list" in found.warnings[0].message


def test_words_are_text() -> None:
    found = faults_of(PLAIN + "command: [a, true, ~, [b], {c: d}]")

    assert [each.path for each in found] == [f"command[{place}]" for place in (1, 2, 3, 4)]
    assert "quote it" in found[0].message


def test_a_command_has_an_end() -> None:
    assert "1001 words" in the_fault(PLAIN + f"command: [{'x,' * 1001}]").message


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("${lrr}", "no macro and no parameter"),
        ("--lr=${lr}", "replaced by the parameter"),
    ],
)
def test_what_w_and_b_would_do_otherwise_is_warned_of(word: str, said: str) -> None:
    (warning,) = read(PLAIN + f"command: [python, '{word}']").warnings

    assert warning.path == "command"
    assert said in warning.message


def test_a_variable_that_may_be_set_later_is_not_warned_of() -> None:
    assert read(PLAIN + "command: [sh, '${envvar:HOME}/x']").warnings == ()


def test_nothing_to_start_is_a_warning() -> None:
    (warning,) = read(PLAIN.replace("program: train.py\n", "")).warnings

    assert "no program to start" in warning.message
