from collections.abc import Iterator

import pytest

from tests.deploy.image.engine import Engine, find_engine


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Docker or podman."""
    return find_engine()


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    """The image of this tree."""
    return engine.build()


@pytest.fixture(scope="module")
def container(engine: Engine) -> Iterator[str]:
    """The name of a container, and of a volume, that nothing is left of afterwards."""
    name = "sweeper-test"
    _remove(engine, name)
    yield name
    _remove(engine, name)


def _remove(engine: Engine, name: str) -> None:
    engine.call("rm", "--force", name, check=False)
    engine.call("volume", "rm", "--force", name, check=False)
