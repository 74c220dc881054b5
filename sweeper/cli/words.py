"""How the verbs put things into words on a terminal."""

from datetime import timedelta

from sweeper.domain.wording import phrase_duration, printable


def field(name: str, text: str) -> str:
    """Return a line of two columns."""
    return f"{name + ':':<9}{text}"


def shown(text: object) -> str:
    """Return words of others on one line, with nothing in them that controls a terminal."""
    return printable(str(text), 500)


def duration(seconds: float | None) -> str:
    """Return a duration in two units at most: `42s`, `3m05s`, `7h12m`, `2d03h`; "" for None."""
    return "" if seconds is None else phrase_duration(timedelta(seconds=seconds))


def columns(rows: list[tuple[str, ...]]) -> str:
    """Return rows of text as columns, each as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
