"""Put values into a command line that is written as one string, each where its word goes on.

A value becomes part of the word that its placeholder stands in, whatever it holds: it never ends
a quotation, starts another word or is read as code. The word behind `-c` is a script for a shell
of its own, so a value in it is quoted for that shell as well.
"""

import re
import shlex
from enum import Enum

_SCRIPT_OPTION = re.compile(r"-[a-zA-Z]*c")
_LONGEST_OPTION = 32
_RUNS = re.compile(r"[^'\"\\ \t\r\n]+|.", re.DOTALL)
"""What is read at a time: a character that may mean something, or all up to the next one."""


class _Quotation(Enum):
    NONE = ""
    SINGLE = "'"
    DOUBLE = '"'


class _Reader:
    """Follows a command line as shlex does, a run at a time."""

    def __init__(self) -> None:
        self.quotation = _Quotation.NONE
        self.escaped = False

    def feed(self, run: str) -> str:
        """Take a run of text and return what it adds to the word, "" where it only quotes."""
        if self.escaped:
            self.escaped = False
            kept = self.quotation is _Quotation.DOUBLE and run not in {'"', "\\"}
            return f"\\{run}" if kept else run
        if run == "\\" and self.quotation is not _Quotation.SINGLE:
            self.escaped = True
            return ""
        if self.quotation is _Quotation.NONE and run in {"'", '"'}:
            self.quotation = _Quotation(run)
            return ""
        if run == self.quotation.value:
            self.quotation = _Quotation.NONE
            return ""
        return run

    def separates(self, run: str) -> bool:
        """Return whether `run` would end the present word."""
        return self.quotation is _Quotation.NONE and not self.escaped and run in " \t\r\n"

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
        self._word: str | None = None  # only its beginning, which tells whether it is -c
        self._behind_option = False

    def read(self, text: str) -> None:
        """Follow `text`, which the author of the command line wrote."""
        for run in _RUNS.findall(text):
            if self._outer.separates(run):
                self._end_word()
            else:
                added = self._outer.feed(run)
                self._extend_word(added)
                if self._behind_option:
                    for inner in _RUNS.findall(added):
                        self._inner.feed(inner)

    def quote(self, value: str) -> str:
        """Return what puts `value` here.

        Raises:
            ValueError: a backslash stands right before it.
        """
        if self._outer.escaped or (self._behind_option and self._inner.escaped):
            raise ValueError("a backslash stands right before it")
        self._extend_word(value)
        return self._outer.quote(self._inner.quote(value) if self._behind_option else value)

    def _extend_word(self, text: str) -> None:
        word = self._word or ""
        if len(word) <= _LONGEST_OPTION:
            self._word = word + text[: _LONGEST_OPTION + 1]

    def _end_word(self) -> None:
        if self._word is not None:
            self._behind_option = _SCRIPT_OPTION.fullmatch(self._word) is not None
        self._word = None
        self._inner = _Reader()
