"""How texts of others and lengths of time are put into words, wherever a person reads them."""

from datetime import timedelta


def printable(text: str, limit: int = 2_000) -> str:
    r"""Return `text` on one line: what is not printable as an escape, and cut at `limit`.

    Escapes look like Python's (`\n`, `\x1b`, `\u202e`), so that nothing a server or a sweep file
    says can move a cursor, hide other text, or pass for a line of its own. The limit counts
    characters of `text`, an ellipsis in place of the last one included.
    """
    cut = shortened(text, limit)
    if cut.isprintable():
        return cut
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in cut)


def shortened(text: str, limit: int) -> str:
    """Return `text` with at most `limit` characters (1 or more), the last an ellipsis if cut."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def phrase_duration(length: timedelta) -> str:
    """Return a length of time as `12s`, `3m05s`, `2h03m` or `4d01h`; never negative."""
    seconds = max(int(length.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return f"{days}d{hours % 24:02}h"
    if hours:
        return f"{hours}h{minutes % 60:02}m"
    if minutes:
        return f"{minutes}m{seconds % 60:02}s"
    return f"{seconds}s"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
