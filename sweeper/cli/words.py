"""How the verbs put things into words on a terminal."""


def field(name: str, text: str) -> str:
    """Return a line of two columns."""
    return f"{name + ':':<9}{text}"


def shown(text: object) -> str:
    """Return words of others on one line, with nothing in them that controls a terminal."""
    words = str(text)
    cut = words if len(words) <= 500 else f"{words[:500]}…"
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in cut
    )


def duration(seconds: float | None) -> str:
    """Return a duration in two units at most: `42s`, `3m05s`, `7h12m`, `2d03h`; "" for None."""
    if seconds is None:
        return ""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole // 60 % 60:02}m"
    return f"{whole // 86400}d{whole // 3600 % 24:02}h"


def columns(rows: list[tuple[str, ...]]) -> str:
    """Return rows of text as columns, each as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
