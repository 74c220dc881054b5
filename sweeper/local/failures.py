"""What fails in a task group comes out of it as it is, where only one thing has failed."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_failure() -> Iterator[None]:
    """Let the one failure out of a task group's group of failures, as if there were no group."""
    try:
        yield
    except BaseExceptionGroup as failures:
        if len(failures.exceptions) > 1:
            raise
        raise failures.exceptions[0] from None
