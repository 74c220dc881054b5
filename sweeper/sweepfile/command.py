"""Reads `command`, the words of a trial's command line with W&B's macros unresolved."""

from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.places import Node
from sweeper.wire.rules.view import shown

_MOST_WORDS = 1000
_PATH = ("command",)


def read_command(findings: Findings) -> tuple[str, ...] | None:
    """Return the words, None for W&B's default: without a `command`, or with one that is no list.

    Numbers are spelled as W&B's agent spells them.
    """
    node = findings.root.members.get("command")
    if node is None or node.value is None:
        return None
    if not node.items:
        said = f"{_ignored(node)} is ignored, and W&B's default started: write [python, train.py]"
        (findings.warning if node.value == () else findings.violation)(_PATH, said)
        return None
    if len(node.items) > _MOST_WORDS:
        findings.fault(_PATH, f"has {len(node.items)} words: write {_MOST_WORDS} or fewer")
        return None
    words: list[str] = []
    for place, item in enumerate(node.items):
        if isinstance(item.value, str):
            words.append(item.value)
        elif isinstance(item.value, int | float) and not isinstance(item.value, bool):
            words.append(str(item.value))
        else:
            findings.fault((*_PATH, place), f"{shown(item.plain())} is no text: quote it")
    return tuple(words)


def _ignored(node: Node) -> str:
    return "an empty list" if node.value == () else f"{shown(node.plain())}, being no list,"
