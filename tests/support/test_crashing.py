"""What kills daemons knows every write that one makes."""

from inspect import iscoroutinefunction

from sweeper.ports import Store
from tests.support.crashing import WRITES

READS = {
    "best_trials",
    "comparison",
    "curve",
    "events",
    "live_trials",
    "load_sweep",
    "notices",
    "standing",
    "submissions",
    "totals",
    "trial",
    "trials",
    "wishes",
}


def test_a_daemon_can_die_at_every_write_of_its_store() -> None:
    calls = {name for name, call in vars(Store).items() if iscoroutinefunction(call)}

    assert calls - READS - {"add_wish"} == WRITES
