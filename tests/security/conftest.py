from pathlib import Path

import pytest

from tests.acceptance.conftest import place

__all__ = ["place"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests with real processes the time that those take on a busy machine."""
    for item in items:
        if Path(__file__).parent in item.path.parents and "place" in getattr(
            item, "fixturenames", ()
        ):
            item.add_marker(pytest.mark.acceptance)
            item.add_marker(pytest.mark.timeout(240))
