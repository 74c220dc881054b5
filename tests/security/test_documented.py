"""What docs/security.md promises has the tests that it names."""

import re
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

TESTS = Path(__file__).parent.parent
TEXT = (TESTS.parent / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line.rpartition(" | ")[2] for line in TEXT.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("row", ROWS)
def test_every_rule_names_tests_that_exist(row: str) -> None:
    named = re.findall(r"`([^`]+)`", row)
    files = [name for name in named if ".py" in name]

    file = ""
    for name in [one for one in named if ".py" in one or one.startswith("::")]:
        file = name.partition("::")[0] or file
        function = name.partition("::")[2]
        text = (TESTS / file).read_text(encoding="utf-8")
        assert f"def {function}" in text

    targets = [one for one in named if one in TARGETS]
    assert files or targets


def test_every_target_is_named() -> None:
    assert {name for name in TARGETS if f"`{name}`" not in TEXT} == set()
