import re
from itertools import combinations
from pathlib import Path

from tests.runai.wire_faults.breaking import BREAKINGS
from tests.runai.wire_faults.scene import REACHES, WITHOUT_TLS
from tests.runai.wire_faults.table import COLUMNS, READS, ROWS, WRITES, Moment, documented

PAGE = Path(__file__).parents[3] / "docs" / "reliability.md"


def test_the_table_in_the_documents_is_the_one_that_is_tested() -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(r"<!-- wire faults: .* -->\n(.*?)\n<!-- /wire faults -->", text, re.DOTALL)

    assert found is not None
    assert found[1] == documented(), "python -m tests.runai.wire_faults.table"


def test_every_fault_stands_in_the_table() -> None:
    assert {row.fault for row in ROWS} == {*BREAKINGS, *REACHES, *WITHOUT_TLS}


def test_every_call_meets_every_fault() -> None:
    first = [row for row in ROWS if row.moment is not Moment.AFTER]

    assert [tuple(row.outcomes) for row in first] == [COLUMNS] * len(first)
    assert {*WRITES, *READS} == {*COLUMNS}


def test_no_row_stands_there_twice() -> None:
    assert [one.name for one, other in combinations(ROWS, 2) if one.name == other.name] == []
