"""What one value looks like in a table or a CSV file, whatever it holds.

Texts come from sweep files, programs and servers. Shown as they are, they could move the cursor,
reverse the line, or break a row in two: what does not print is shown by its escape.
"""

import json
from typing import Any

from sweeper.domain.wording import printable


def visible(text: str) -> str:
    """Return `text` on one line, with every character that does not print as its escape."""
    return printable(text, max(len(text), 1))


def text_of(value: Any) -> str:
    """Return a value of JSON as text: texts as they are, None as nothing, the rest as JSON."""
    if value is None:
        return ""
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def number_of(value: Any) -> str:
    """Return a number for people: six digits that count; anything else as `text_of` has it."""
    return f"{value:.6g}" if isinstance(value, float) else text_of(value)
