"""Text from outside made safe to show: no control characters, nothing too long."""


def printable(text: str, limit: int = 2_000) -> str:
    r"""Return `text` on one line: what is not printable as an escape, and cut at `limit`.

    Escapes look like Python's (`\n`, `\x1b`, `\u202e`), so that nothing a server or a sweep file
    says can move a cursor, hide other text, or pass for a line of its own.
    """
    cut = text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"
    if cut.isprintable():
        return cut
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in cut)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
