"""Finds what looks like a secret in a sweep file, so that it is warned of and never stored."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sweeper.domain.values import JsonValue
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.places import Node, Path

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_OPTION = re.compile(r"(?<![\w.-])(?P<name>-{0,2}[A-Za-z][\w.-]*)(?:=|(?P<gap>\s+))")
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s\"']+")
_SECRET = frozenset({"password", "passwd", "passphrase", "token", "secret", "apikey"})
_KEY_OWNERS = frozenset({"api", "access", "secret", "private", "auth", "account"})
_COMMAND_FIELDS = ("command", "args")


def names_secret(name: str) -> bool:
    """Return whether an option or a variable of this name is likely to hold a secret.

    Its last word tells: API_KEY and --db-password do, --max-tokens and --key do not.
    """
    words = [word.casefold() for word in _WORDS.findall(name)]
    if not words:
        return False
    if words[-1] == "key":
        return len(words) > 1 and words[-2] in _KEY_OWNERS
    return words[-1] in _SECRET


def check_secrets(findings: Findings) -> None:
    """Warn of each secret that is written into the file; the warning does not repeat it."""
    command = findings.root.members.get("command")
    if command is not None and command.items:
        for place in _secret_words([item.value for item in command.items]):
            findings.warning(
                ("command", place),
                "looks like a secret, which every process list shows: "
                "write ${envvar:NAME}, or let the program read its environment",
            )
    for path, node in _spec_texts(findings.root):
        if _secrets_in(node.value):
            findings.warning(
                path,
                "looks like it holds a secret, which every process list shows: let the program "
                "read a variable that environmentVariables takes from a secret",
            )
    for path, variable in _variables(findings.root):
        name, value = variable.child("name"), variable.child("value")
        if name is None or value is None or not isinstance(name.value, str):
            continue
        is_literal = isinstance(value.value, str) and value.value and "${" not in value.value
        if is_literal and names_secret(name.value):
            findings.warning(
                (*path, "value"),
                "looks like a secret: write secret: {name: ..., key: ...} instead of a value",
            )


def hide_secrets(root: Node) -> dict[str, JsonValue]:
    """Return the plain data of a file that is fit to be stored.

    Values of environment variables become digests, wherever an alias repeats them, and so does
    what looks like a secret in a command line.
    """
    hidden: dict[int, str] = {}
    command = root.child("command")
    items = () if command is None else command.items
    for place in _secret_words([item.value for item in items]):
        hidden[id(items[place])] = _hidden_word(str(items[place].value))
    for _, node in _spec_texts(root):
        if _secrets_in(node.value):
            hidden[id(node)] = _hide_within(str(node.value))
    for _, variable in _variables(root):
        value = variable.child("value")
        if value is not None:
            hidden[id(value)] = _digest(str(value.plain()))
    return {key: _masked(node, hidden) for key, node in root.members.items()}


def _masked(node: Node, hidden: Mapping[int, str]) -> JsonValue:
    """Return plain data with the nodes in `hidden`, known by identity, replaced."""
    if id(node) in hidden:
        return hidden[id(node)]
    if isinstance(node.value, Mapping):
        return {key: _masked(child, hidden) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [_masked(child, hidden) for child in node.value]
    return node.value


def _secret_words(words: Iterable[Any]) -> Iterator[int]:
    """Yield the positions of the words that hold a secret, or follow an option that wants one."""
    follows = False
    for place, word in enumerate(words):
        text = word if isinstance(word, str) else ""
        if (follows and text and not text.startswith(("-", "${"))) or _secrets_in(text):
            yield place
        follows = text.startswith("-") and "=" not in text and names_secret(text)


def _secrets_in(text: Any) -> list[tuple[int, int]]:
    """Return where a command line gives the value of a secret as it is: start and end."""
    spans: list[tuple[int, int]] = []
    for option in _OPTION.finditer(text) if isinstance(text, str) else ():
        is_option = not option["gap"] or option["name"].startswith("-")
        if not is_option or not names_secret(option["name"]):
            continue
        if spans and option.start() < spans[-1][1]:
            continue
        start = text[option.end() : option.end() + 2].strip("\"'")
        value = None if start.startswith(("$", "-")) else _VALUE.match(text, option.end())
        if value:
            spans.append(value.span())
    return spans


def _hidden_word(word: str) -> str:
    return _hide_within(word) if _secrets_in(word) else _digest(word)


def _hide_within(text: str) -> str:
    pieces, end = [], 0
    for start, stop in _secrets_in(text):
        pieces += [text[end:start], _digest(text[start:stop])]
        end = stop
    return "".join([*pieces, text[end:]])


def _spec(root: Node) -> Node | None:
    training = root.child("training")
    return None if training is None else training.child("spec")


def _spec_texts(root: Node) -> Iterator[tuple[Path, Node]]:
    spec = _spec(root)
    for key in _COMMAND_FIELDS:
        node = None if spec is None else spec.child(key)
        if node is not None and isinstance(node.value, str):
            yield ("training", "spec", key), node


def _variables(root: Node) -> Iterator[tuple[Path, Node]]:
    spec = _spec(root)
    variables = None if spec is None else spec.child("environmentVariables")
    for place, node in enumerate(variables.items if variables else ()):
        if isinstance(node.value, Mapping):
            yield ("training", "spec", "environmentVariables", place), node


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
