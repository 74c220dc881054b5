from pathlib import Path

import pytest

from grafana.boards.__main__ import written
from tests.deploy.boards.asking import FILES, FOLDER, load, panels

boards = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def test_the_committed_boards_are_those_that_the_modules_build() -> None:
    committed = {path: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}

    assert committed == dict(written()), "run `make boards`"


@boards
def test_every_panel_says_what_it_means_with_unit_and_thresholds(file: Path) -> None:
    for panel in panels(load(file)):
        defaults = panel["fieldConfig"]["defaults"]
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["thresholds"]["steps"][0]["value"] is None, panel["title"]


@boards
def test_every_board_has_its_variables_and_marks(file: Path) -> None:
    board = load(file)

    names = [variable["name"] for variable in board["templating"]["list"]]
    marks = [mark["name"] for mark in board["annotations"]["list"]]
    assert names == ["datasource", "sweep", "instance"]
    assert marks == ["Preemption storm", "Breaker open", "Daemon started"]


@boards
def test_every_line_of_panels_fills_the_board_without_overlap(file: Path) -> None:
    taken = [
        (x, y)
        for panel in load(file)["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    height = max(y for _, y in taken) + 1
    assert sorted(taken) == [(x, y) for x in range(24) for y in range(height)]


@boards
def test_panels_have_numbers_of_their_own(file: Path) -> None:
    numbers = [panel["id"] for panel in load(file)["panels"]]

    assert len(set(numbers)) == len(numbers)


@boards
def test_every_panel_asks_the_chosen_datasource(file: Path) -> None:
    for panel in panels(load(file)):
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert {source["uid"] for source in sources} == {"${datasource}"}


def test_links_lead_to_boards_that_exist() -> None:
    known = {load(file)["uid"] for file in FILES}

    texts = [file.read_text(encoding="utf-8") for file in FILES]
    linked = {part.split("?")[0] for text in texts for part in text.split("/d/")[1:]}
    assert linked
    assert linked <= known
