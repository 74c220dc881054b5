"""Draw the boards from what recording.py wrote.

python -m tests.deploy.boards.pictures FILE FOLDER
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.deploy.boards.asking import FILES, load
from tests.deploy.boards.charts import Mark, Panel
from tests.deploy.boards.drawing import draw
from tests.deploy.boards.shapes import Span

SHOWN = 1
"""How many sweeps stand in the picture of a board that has a row for each."""


def pictures(shown: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Return the name and the picture of each board."""
    span = Span(since=shown["since"], until=shown["until"])
    results = shown["results"]
    for file in FILES:
        board = load(file)

        def answer(panel: Panel, number: int, sweep: str, of: str = file.stem) -> Any:
            return results[f"{of}: {panel['title']} ({number}) {sweep}"]

        def marked(
            sweep: str, of: str = file.stem, marks: Any = board["annotations"]["list"]
        ) -> list[Mark]:
            return [
                Mark(at=at, colour=mark["iconColor"])
                for mark in marks
                for at in _moments(mark, results[f"{of}: {mark['name']} (0) {sweep}"], span)
            ]

        yield file.stem, draw(board, answer, span, shown["sweeps"][:SHOWN], marked)


def _moments(mark: Mapping[str, Any], result: Any, span: Span) -> Iterator[float]:
    """Return where each stretch of what is marked begins, within the time shown."""
    for series in result:
        before = 0.0
        for at, value in series["values"]:
            moment = float(value) / 1000 if "useValueForTime" in mark else float(at)
            if moment - before > 60 and span.since < moment < span.until:
                yield moment
            before = moment


if __name__ == "__main__":
    recorded = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for name, picture in pictures(recorded):
        (Path(sys.argv[2]) / f"{name}.svg").write_text(picture, encoding="utf-8")
