import re
import runpy
from pathlib import Path

import pytest

from sweeper.settings import Settings
from sweeper.telemetry.catalogue import CATALOGUE, Family

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]


@pytest.mark.parametrize(
    "file", ["README.md", "docs/metrics.md", "docs/logs.md", "docs/logs.schema.json"]
)
def test_a_document_is_what_the_code_generates(file: str) -> None:
    generated = runpy.run_path(str(ROOT / "docs" / "generate.py"))["generated"]
    text = (ROOT / file).read_text(encoding="utf-8")

    assert generated(file, text) == text, "make docs"


@pytest.mark.parametrize("name", [*Settings.model_fields])
def test_every_setting_stands_in_the_readme(name: str) -> None:
    assert f"`{Settings.model_fields[name].validation_alias}`" in README


@pytest.mark.parametrize("family", CATALOGUE, ids=lambda family: family.name)
def test_every_metric_stands_in_the_readme(family: Family) -> None:
    assert f"`{family.name}`" in README


@pytest.mark.parametrize(
    "verb", ["run", "plan", "validate", "probe", "status", "results", "pause", "health"]
)
def test_every_command_that_opens_the_readme_exists(verb: str) -> None:
    from sweeper.cli.main import app

    assert f"sweeper {verb}" in README
    assert verb in {command.name for command in app.registered_commands}


def test_the_readme_opens_with_its_two_commands() -> None:
    opening = README.split("##")[0]

    assert opening.index("make demo") < opening.index("make test")


def test_every_link_between_documents_leads_somewhere() -> None:
    links = [
        (path.name, target)
        for path in DOCUMENTS
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]

    assert links == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_a_document_names_exists(document: Path) -> None:
    named = re.findall(r"`(tests/[\w/.-]+)", document.read_text(encoding="utf-8"))

    assert [name for name in named if not (ROOT / name).exists()] == []
