import pytest

from sweeper.errors import Fault
from sweeper.sweepfile.events import MAX_BYTES, BrokenTextError, decoded, parse


def refusal(content: str | bytes) -> Fault:
    with pytest.raises(BrokenTextError) as caught:
        list(parse(decoded(content)))
    return caught.value.fault


@pytest.mark.parametrize(
    ("content", "line", "column", "said"),
    [
        ("\ta: 1", 1, 1, "indent with spaces"),
        ("a: b: c", 1, 5, "indented right"),
        ("a:\n - b\n c: d", 3, 2, "same column as its neighbours"),
        ("a: [1,", 1, 7, "open to the end"),
        ("a: 'x", 1, 6, "quote is open"),
        ("a: {b\nc: 1}", 2, 2, "closing bracket missing"),
        ("a: - b", 1, 4, "line of its own"),
        ("a: ]", 1, 4, "not valid YAML"),
        ("x: @foo", 1, 4, "quote a value that begins with @"),
        ("x: %foo", 1, 4, "quote a value that begins with %"),
        ("a: 1\nb\nc: 2", 3, 1, "colon and a space"),
        ("a: !!python/object:os.system x", 1, 4, "this tag has no meaning"),
        ("a: !x [1]", 1, 4, "this tag has no meaning"),
        ("%YAML 2.0\n---\na: 1", 1, 1, "a directive"),
        ("%TAG ! x\n---\na: 1", 1, 1, "a directive"),
        ('a: "\\UFFFFFFFF"', 1, 4, "does not exist"),
        ("a: 1\nb: \x01", 2, 4, "U+0001"),
        (b"a: 1\nb: \xff", 2, 4, "0xff is no UTF-8"),
        ("a: 1".encode("utf-16"), 1, 1, "save it as UTF-8"),
        (b"a" * (MAX_BYTES + 1), 0, 0, "larger than 5 MiB"),
        ("a: \ud800", 1, 4, "UTF-8"),
    ],
)
def test_broken_text_is_refused_at_its_place(
    content: str | bytes, line: int, column: int, said: str
) -> None:
    fault = refusal(content)

    assert (fault.line, fault.column) == (line, column)
    assert said in fault.message


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decoded(b"\xef\xbb\xbfa: 1") == "a: 1"


def test_a_tag_is_refused_before_it_is_scanned() -> None:
    """Scanning a tag costs the square of its length."""
    assert "this tag" in refusal("a: !" + "x" * 4_000_000).message
