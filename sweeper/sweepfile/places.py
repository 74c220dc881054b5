"""Where things stand in a sweep file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something worth knowing about a file that can run all the same.

    `line` and `column` count from 1 (0 = the file as a whole); `path` is dotted from the top of
    the file; `message` carries the value and the remedy.
    """

    line: int
    column: int
    path: str
    message: str
