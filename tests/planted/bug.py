"""What a planted bug is: one place of the product, written as somebody might have got it wrong."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One planted bug.

    In the file at `path`, the text `old`, which occurs there once, becomes `new`. `fault` says
    what the product then does wrong. `finder` is a test that fails with it.
    """

    name: str
    fault: str
    path: str
    old: str
    new: str
    finder: str

    def planted(self, text: str) -> str:
        """Return the text of the file with the bug in it.

        Raises:
            ValueError: the place is not there, or not the only one; the bug must follow the code.
        """
        places = text.count(self.old)
        if places != 1:
            raise ValueError(f"{self.name}: its place occurs {places} times in {self.path}")
        return text.replace(self.old, self.new)

    def plant(self, tree: Path) -> None:
        """Put the bug into a tree of the project's files."""
        file = tree / self.path
        file.write_text(self.planted(file.read_text(encoding="utf-8")), encoding="utf-8")
