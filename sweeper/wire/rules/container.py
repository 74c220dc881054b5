"""Rules about the container itself."""

from collections.abc import Iterator

from sweeper.wire.issues import Issue
from sweeper.wire.rules.view import Rule, Terms, View


def image_is_named(spec: View, terms: Terms) -> Iterator[Issue]:
    """Run:ai runs nothing without an image, although its schema lets it be absent."""
    if not spec.has("image") and not (terms.is_client and not terms.needs_image):
        message = "is missing, and Run:ai runs nothing without it: name a container image"
        yield spec.issue("image", message, terms.inferred)


def terminal_needs_input(spec: View, _terms: Terms) -> Iterator[Issue]:
    """A terminal is read from."""
    if spec.is_on("tty") and not spec.is_on("stdin"):
        yield spec.error("tty", "needs standard input: set stdin to true as well, or drop tty")


RULES: tuple[Rule, ...] = (image_is_named, terminal_needs_input)
