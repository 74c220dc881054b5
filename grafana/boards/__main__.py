"""Write the dashboards' JSON, which Grafana loads by provisioning."""

import json
from collections.abc import Mapping
from pathlib import Path

from grafana.boards.board import Json
from grafana.boards.daemon import daemon
from grafana.boards.fleet import fleet
from grafana.boards.sweeps import sweeps

FOLDER = Path(__file__).resolve().parent.parent / "dashboards"

BOARDS = (sweeps, daemon, fleet)


def written() -> Mapping[Path, str]:
    """Return the text of each board's file."""
    boards = [make() for make in BOARDS]
    return {FOLDER / f"{board['uid']}.json": _text(board) for board in boards}


def _text(board: Json) -> str:
    return json.dumps(board, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
