"""How values are spelled where only text can go: command lines, variables, strings of a spec."""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from sweeper.domain.values import JsonValue, Params, plain
from sweeper.domain.wording import printable
from sweeper.errors import RenderingError

_EXPANDABLE = re.compile(r"\${2,}|\$(?=\(|\Z)")
_ALLOWED_CONTROLS = frozenset("\t\n\r")
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs"})


def spell(value: JsonValue) -> str:
    """Return `value` as Python's `str` has it, which is how W&B's agent puts it into an argv."""
    return value if isinstance(value, str) else str(plain(value))


def shown(name: str) -> str:
    """Return a name as messages show it: printable, and of a length that can be read."""
    return printable(name, 60)


def escape_references(text: str) -> str:
    """Return what Kubernetes turns back into `text` when it expands `$(NAME)` in it.

    Kubernetes reads `$$` as `$`, so a run of them that it would touch is doubled; one at the end
    as well, because more text may follow.
    """
    return _EXPANDABLE.sub(lambda found: found[0] * 2, text)


def refused_character(value: JsonValue) -> str | None:
    """Return the first character in `value`, its keys included, that no text may carry.

    These are the control characters apart from tab and line ends, NUL first of all, and
    surrogates, which no encoding can hold. None when there is none.
    """
    for text in _texts(value):
        for character in text:
            category = unicodedata.category(character)
            if category in _REFUSED_CATEGORIES and character not in _ALLOWED_CONTROLS:
                return character
    return None


def require_legible(params: Params) -> None:
    """Check that every name and value of `params` can be handed to a program.

    Raises:
        RenderingError: one holds a control character or a lone surrogate.
    """
    for name, value in params.items():
        found = refused_character([name, value])
        if found is not None:
            raise RenderingError(
                f"parameters.{shown(name)}: the value holds the character U+{ord(found):04X}, "
                "which no command line can carry: take it out, or put the value in a file"
            )


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
