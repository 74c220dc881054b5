from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine must not make a property fail; what a failure prints is enough to repeat it.
settings.register_profile("sweeper", deadline=None, print_blob=True)
settings.load_profile("sweeper")

# Those need a virtual environment of their own: `make outside`, `make test-deploy`.
collect_ignore = ["deploy", "outside"]

# They play whole sweeps by the thousand over lines that other tests cover, and tracing costs them
# three times the time.
UNMEASURED = [Path(__file__).parent / folder for folder in ("simulation", "store/disk")]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(folder in item.path.parents for folder in UNMEASURED):
            item.add_marker(pytest.mark.no_cover)
