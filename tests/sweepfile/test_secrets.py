import json

import pytest

from sweeper.sweepfile.loading import load
from sweeper.sweepfile.secrets import hide_secrets, names_secret
from tests.sweepfile.files import PLAIN, read, told, with_spec

CANARY = "canary-1234"


@pytest.mark.parametrize(
    "name",
    ["--password", "--db-password", "API_TOKEN", "apiKey", "AWS_SECRET_ACCESS_KEY", "--api-key"],
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize(
    "name", ["--max-tokens", "--tokenizer", "--key", "sort_key", "TOKENS", "", "---", "--lr"]
)
def test_other_names_are_no_names_of_secrets(name: str) -> None:
    assert not names_secret(name)


@pytest.mark.parametrize(
    "words",
    [
        f"[python, --password={CANARY}]",
        f"[python, --api-key, {CANARY}]",
        f"[env, WANDB_API_KEY={CANARY}, python]",
        f"[bash, -c, 'python x.py --token {CANARY}']",
        f"[bash, -c, 'run --password --token {CANARY}']",
        f"[bash, -c, 'run --password \"{CANARY} --token {CANARY}\"']",
        f"[bash, -c, 'TOKEN=\"{CANARY}\" python x.py']",
    ],
)
def test_a_secret_in_a_command_is_warned_of_and_not_kept(words: str) -> None:
    found = read(PLAIN + f"command: {words}")

    assert "envvar" in found.warnings[0].message
    assert CANARY not in json.dumps(found.definition) + repr(found.warnings)


@pytest.mark.parametrize(
    "words",
    [
        "[python, '--password=${envvar:PASSWORD}']",
        "[python, --token, '${envvar:TOKEN}']",
        "[python, --token, --verbose]",
        "[python, --max-tokens=512]",
        "[bash, -c, 'python x.py --token $TOKEN']",
        "[python, --token]",
    ],
)
def test_a_secret_that_comes_from_elsewhere_is_fine(words: str) -> None:
    assert read(PLAIN + f"command: {words}").warnings == ()


@pytest.mark.parametrize("field", ["command", "args"])
def test_a_secret_in_a_spec_is_warned_of_and_not_kept(field: str) -> None:
    found = read(with_spec(f"{{image: x, {field}: 'python --token={CANARY} -v'}}"))

    (warning,) = found.warnings
    assert warning.path == f"training.spec.{field}"
    assert CANARY not in json.dumps(found.definition)
    assert '-v"' in json.dumps(found.definition)


def test_a_literal_secret_in_a_variable_is_warned_of() -> None:
    variables = f"[{{name: API_TOKEN, value: {CANARY}}}, {{name: LR, value: '3'}}]"
    found = read(with_spec(f"{{image: x, environmentVariables: {variables}}}"))

    (warning,) = found.warnings
    assert told(warning) == (6, 68, "training.spec.environmentVariables[0].value")
    assert "secret: {name: ..., key: ...}" in warning.message
    assert CANARY not in warning.message


def test_no_value_of_a_variable_is_kept() -> None:
    variables = f"[{{name: A, value: {CANARY}}}, {{name: B, secret: {{name: s, key: k}}}}]"

    found = read(with_spec(f"{{image: x, environmentVariables: {variables}}}"))

    kept = json.dumps(found.definition)
    assert CANARY not in kept
    assert kept.count("sha256:") == 1


def test_a_value_that_an_alias_repeats_is_kept_nowhere() -> None:
    text = f"shared-notes: &it {CANARY}\n" + with_spec(
        "{image: x, environmentVariables: [{name: A, value: *it}]}"
    )

    assert CANARY not in json.dumps(read(text).definition)


@pytest.mark.parametrize("spec", ["3", "{environmentVariables: [3, {value: a}], args: [b]}"])
def test_a_spec_of_any_form_can_be_looked_through(spec: str) -> None:

    root = load(f"training: {{spec: {spec}}}\ncommand: [1, ~]").root

    assert hide_secrets(root)["command"] == [1, None]


def test_a_digest_tells_a_changed_secret() -> None:
    text = with_spec("{image: x, environmentVariables: [{name: A, value: one-1}]}")

    assert read(text).digest == read(text).digest
    assert read(text).digest != read(text.replace("one-1", "two-2")).digest
