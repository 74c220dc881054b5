import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.sweepfile.naming import default_name, default_seed
from tests.sweepfile.files import PLAIN, a_context, spec_of, the_fault


def named(name: str) -> str:
    return PLAIN.replace("name: demo", f"name: {name}")


def test_date_in_a_name_is_today() -> None:
    context = a_context(today=date(2026, 12, 31))

    assert spec_of(named("'nightly-{date}'"), context).name == "nightly-2026-12-31"


def test_a_name_on_the_command_line_goes_before_the_files_own() -> None:
    context = a_context(today=date(2026, 12, 31), name="again-{date}")

    assert spec_of(named("'nightly-{date}'"), context).name == "again-2026-12-31"
    assert spec_of(PLAIN, a_context(name="nightly-2026-12-30")).name == "nightly-2026-12-30"


@pytest.mark.parametrize(("name", "said"), [("a/b", "slash"), ("", "is empty")])
def test_a_fault_of_that_name_is_told_as_the_flags(name: str, said: str) -> None:
    fault = the_fault(PLAIN, a_context(name=name))

    assert (fault.line, fault.path) == (0, "--name")
    assert said in fault.message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../x", "slash"),
        ("a/b", "slash"),
        ("'a\\b'", "slash"),
        ("..", "begins with a dot"),
        (".hidden", "begins with a dot"),
        ("' x'", "space"),
        ('"a\\tb"', "control character"),
        ('"a\\nb"', "control character"),
        ("x" * 201, "200 bytes"),
        ("é" * 101, "200 bytes"),
        ("''", "is empty"),
        ("7", "7 is no text: quote it"),
    ],
)
def test_a_name_that_is_none_for_a_folder_is_a_fault(name: str, said: str) -> None:
    fault = the_fault(named(name))

    assert (fault.line, fault.path) == (2, "name")
    assert said in fault.message


def test_without_a_name_the_file_gives_one(tmp_path: Path) -> None:
    first, second = (default_name(str(tmp_path / each)) for each in ("a/lr.yaml", "b/lr.yaml"))

    assert re.fullmatch(r"lr-[0-9a-f]{6}", first)
    assert first != second
    assert first == default_name(str(tmp_path / "a" / ".." / "a" / "lr.yaml"))


@given(st.text(min_size=1, max_size=20))
def test_every_file_gives_a_name_for_a_folder(stem: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*-[0-9a-f]{6}", default_name(f"{stem}.yaml"))


@given(st.text(max_size=20))
def test_a_seed_follows_from_the_name(name: str) -> None:
    assert default_seed(name) == default_seed(name)
    assert 0 <= default_seed(name) < 2**63


def test_different_names_draw_differently() -> None:
    assert spec_of(named("a")).seed != spec_of(named("b")).seed
