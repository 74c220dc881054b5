"""What one value looks like in a table or a CSV file, whatever it holds.

Texts come from sweep files, programs and servers. Shown as they are, they could move the cursor,
reverse the line, or break a row in two: what does not print is shown by its escape.
"""

import json
from typing import Any


def visible(text: str) -> str:
    """Return `text` on one line, with every character that does not print as its escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def shortened(text: str, bound: int) -> str:
    """Return `text` with at most `bound` characters, the last of them an ellipsis if cut."""
    return text if len(text) <= bound else f"{text[: bound - 1]}…"


def text_of(value: Any) -> str:
    """Return a value of JSON as text: texts as they are, None as nothing, the rest as JSON."""
    if value is None:
        return ""
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def number_of(value: Any) -> str:
    """Return a number for people: six digits that count; anything else as `text_of` has it."""
    return f"{value:.6g}" if isinstance(value, float) else text_of(value)
