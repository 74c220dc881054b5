import shutil
from collections.abc import Callable, Iterator

import pytest

_LEFT_OUT = pytest.StashKey[list[str]]()
_MEASURED = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def measured(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Takes a line about what was measured, which is shown once all tests have ended."""
    return pytestconfig.stash.setdefault(_MEASURED, []).append


def _missing(item: pytest.Item) -> Iterator[str]:
    for marker in item.iter_markers("needs"):
        for choice in marker.args:
            if not any(shutil.which(command) for command in choice.split(" or ")):
                yield choice


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a program that this machine lacks."""
    lacking = {item: sorted(set(_missing(item))) for item in items}
    config.stash[_LEFT_OUT] = [
        f"{item.nodeid}: there is no {', '.join(names)}" for item, names in lacking.items() if names
    ]
    config.hook.pytest_deselected(items=[item for item in items if lacking[item]])
    items[:] = [item for item in items if not lacking[item]]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was measured, and what was left out for want of what."""
    if measured := terminalreporter.config.stash.get(_MEASURED, []):
        terminalreporter.section("measured")
        for line in measured:
            terminalreporter.line(line)
    if left_out := terminalreporter.config.stash.get(_LEFT_OUT, []):
        terminalreporter.section("left out: see tests/deploy/tools.txt")
        for line in left_out:
            terminalreporter.line(line)
