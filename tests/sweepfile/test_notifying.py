import pytest

from sweeper.domain.receivers import DEFAULT_TOPICS, Receiver, Topic
from tests.sweepfile.files import PLAIN, read, spec_of, the_fault

SECRET = "s3cr3tpath"


def test_without_a_word_nobody_is_told() -> None:
    assert spec_of(PLAIN).notify == ()


def test_receivers_are_named_by_where_their_address_stands() -> None:
    found = spec_of(
        PLAIN + "notify:\n  - {env: SLACK_URL}\n"
        "  - {file: secrets/mail, about: [started, daily, needs-a-person]}\n"
    ).notify

    assert found == (
        Receiver(variable="SLACK_URL", about=DEFAULT_TOPICS),
        Receiver(
            file="secrets/mail",
            about=frozenset({Topic.STARTED, Topic.DAILY, Topic.NEEDS_PERSON}),
        ),
    )


@pytest.mark.parametrize(
    "written",
    [
        f"notify: slack://{SECRET}",
        f"notify: [slack://{SECRET}]",
        f"notify: {{url: slack://{SECRET}}}",
        f"notify: [{{url: slack://{SECRET}, about: [started]}}]",
        f"notify: [{{env: slack://{SECRET}}}]",
        f"notify: [{{env: [slack://{SECRET}]}}]",
        f"notify: [{{file: slack://{SECRET}}}]",
    ],
)
def test_an_address_in_the_file_is_refused_without_repeating_it(written: str) -> None:
    fault = the_fault(PLAIN + written)

    assert "env: NAME" in fault.message
    assert SECRET not in fault.message
    assert fault.line == 6


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("notify: [{about: [started]}]", "write either env: NAME or file: PATH"),
        ("notify: [{env: A, file: b}]", "write either env: NAME or file: PATH"),
        ("notify: [{env: A, about: []}]", "write 1 or more"),
        ("notify: [{env: A, about: [ended]}]", "is not known: write 'started', 'finished'"),
        ("notify: [{env: A, abuot: [started]}]", "did you mean about?"),
        ("notify: [{env: ''}]", "names no variable"),
        ("notify: [{file: ' '}]", "names no file"),
    ],
)
def test_what_does_not_fit_is_told_with_the_remedy(written: str, said: str) -> None:
    assert said in the_fault(PLAIN + written).message


def test_who_is_told_may_change_while_a_sweep_goes_on() -> None:
    before, after = read(PLAIN), read(PLAIN + "notify: [{env: SLACK_URL}]")

    assert before.digest == after.digest
