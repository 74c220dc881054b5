import pytest

from sweeper.telemetry.metrics import Metrics
from tests.support.builders import after


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of a process that has heard nothing yet, five seconds after `NOW`."""
    return Metrics(version="1.2.3", now=lambda: after(seconds=5))
