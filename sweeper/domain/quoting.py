"""Put values into a command line that is written as one string, each where its word goes on.

A value becomes part of the word that its placeholder stands in, whatever it holds: it never ends
a quotation, starts another word or is read as code. The word behind `-c` is a script for a shell
of its own, so a value in it is quoted for that shell as well.
"""

import re
import shlex
from enum import Enum

_SCRIPT_OPTION = re.compile(r"-[a-zA-Z]*c")


class _Quotation(Enum):
    NONE = ""
    SINGLE = "'"
    DOUBLE = '"'


class _Reader:
    """Follows a command line as shlex does, a character at a time."""

    def __init__(self) -> None:
        self.quotation = _Quotation.NONE
        self.escaped = False

    def feed(self, character: str) -> str:
        """Take one character and return what it adds to the word, "" where it only quotes."""
        if self.escaped:
            self.escaped = False
            kept = self.quotation is _Quotation.DOUBLE and character not in '"\\'
            return f"\\{character}" if kept else character
        if character == "\\" and self.quotation is not _Quotation.SINGLE:
            self.escaped = True
            return ""
        if self.quotation is _Quotation.NONE and character in "'\"":
            self.quotation = _Quotation(character)
            return ""
        if character == self.quotation.value:
            self.quotation = _Quotation.NONE
            return ""
        return character

    def separates(self, character: str) -> bool:
        """Return whether `character` would end the present word."""
        return self.quotation is _Quotation.NONE and not self.escaped and character in " \t\r\n"

    def quote(self, value: str) -> str:
        """Return `value` quoted so that the present quotation holds on both sides of it."""
        mark = self.quotation.value
        return f"{mark}{shlex.quote(value)}{mark}"


class CommandLine:
    """A command line being written from left to right.

    `read` follows the author's own text; `quote` returns a value as it has to stand there.
    """

    def __init__(self) -> None:
        self._outer = _Reader()
        self._inner = _Reader()
        self._word: str | None = None
        self._behind_option = False

    def read(self, text: str) -> None:
        """Follow `text`, which the author of the command line wrote."""
        for character in text:
            if self._outer.separates(character):
                self._end_word()
            else:
                for added in self._outer.feed(character):
                    self._inner.feed(added)
                    self._word = (self._word or "") + added

    def quote(self, value: str) -> str:
        """Return what puts `value` here.

        Raises:
            ValueError: a backslash stands right before it.
        """
        if self._outer.escaped or (self._behind_option and self._inner.escaped):
            raise ValueError("a backslash stands right before it")
        self._word = (self._word or "") + value
        return self._outer.quote(self._inner.quote(value) if self._behind_option else value)

    def _end_word(self) -> None:
        if self._word is not None:
            self._behind_option = _SCRIPT_OPTION.fullmatch(self._word) is not None
        self._word = None
        self._inner = _Reader()
