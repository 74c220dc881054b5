"""Whatever a file holds, reading it ends soon, with a sweep or with faults that have places."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sweeper.errors import SweepFileError
from sweeper.sweepfile.document import KNOWN
from tests.sweepfile.files import DATA, read
from tests.sweepfile.test_reading import BROKEN, CONFIGS

VALID = [
    path.read_bytes()
    for path in (CONFIGS / "runai.yaml", CONFIGS / "nightly.yaml", *sorted(DATA.glob("*.yaml")))
]
PIECES = ["{", "}", "[", "]", ": ", "\n", "  ", "- ", "&a ", "*a", "<<: *a", "!", "'", '"', "|\n"]
WORDS = ["~", "-1", ".nan", "1e999", "yes", "${lr}", "'\\0'", '"\\ud800"', "0x_", "\ud7ff", "? "]


def holds(text: str | bytes) -> None:
    """Check that reading `text` gives a sweep, or faults that a person can find."""
    try:
        read(text)
    except SweepFileError as error:
        assert error.faults  # noqa: PT017 - either outcome is right
        lines = text.count("\n" if isinstance(text, str) else b"\n") + 2  # type: ignore[arg-type]  # as the text is
        assert all(0 <= fault.line <= lines and fault.message for fault in error.faults)  # noqa: PT017


@given(st.text(max_size=60))
@example("a: *a")
@example("\x85a: 1")
@example("? a\n: <<")
def test_any_text_is_read_or_refused(text: str) -> None:
    holds(text)


@given(st.binary(max_size=60))
@example(b"\xef\xbb\xbf")
@example(b"\xfe\xff")
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    holds(content)


@given(st.lists(st.sampled_from(PIECES + WORDS + ["a", "method", "parameters"]), max_size=30))
def test_any_pieces_of_yaml_are_read_or_refused(pieces: list[str]) -> None:
    holds("".join(pieces))


@settings(max_examples=100)
@given(st.sampled_from(VALID), st.data())
def test_a_mutilated_file_is_read_or_refused(content: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(start + 20, len(content))))
    piece = data.draw(st.sampled_from(PIECES + WORDS)).encode()

    holds(content[:start] + piece + content[end:])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "a", "5%", "1d"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["value", "values", "name", "min", "spec", "a"]), inner)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from([*KNOWN])


@given(st.dictionaries(KEYS, JSON, max_size=4))
def test_any_value_under_any_key_is_read_or_refused(sections: dict[str, object]) -> None:
    base = {"method": "grid", "parameters": {"a": {"values": [1]}}, "program": "x"}
    lines = [f"{key}: {written(value)}" for key, value in (base | sections).items()]

    holds("\n".join(lines))


def written(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, float):
        return repr(value).replace("inf", ".inf").replace("nan", ".nan")
    return "~" if value is None else f"'{value}'" if isinstance(value, str) else str(value).lower()


HEAD = "method: random\nprogram: t.py\n"
ONE = HEAD + "parameters: {a: {value: 1}}\n"
HOSTILE = {
    "brackets": "[" * 5_000,
    "a long tag": "a: !" + "x" * 300_000,
    "a long anchor": "a: &" + "x" * 300_000,
    "one long word": "a" * 300_000,
    "unknown keys": ONE + "".join(f"zz{n}x: 1\n" for n in range(3000)),
    "keys that resemble": ONE + "".join(f"methodx{n}: 1\n" for n in range(3000)),
    "placeholders": ONE + "training: {spec: {image: '" + "${a}" * 100_000 + "'}}",
    "options": ONE + "training: {spec: {image: x, args: '" + "--token=" * 50_000 + "'}}",
    "macros": ONE + "command: [" + "'${args}'," * 5000 + "]",
    "huge grid": "method: grid\nprogram: x\nparameters: {a: {min: 1, max: " + "9" * 100 + "}}",
    "tiny step": "method: grid\nprogram: x\nparameters: {a: {distribution: q_uniform, min: 0, "
    "max: 1, q: 1e-290}}",
    "huge bounds": HEAD + "parameters: {a: {distribution: uniform, min: -1e308, max: 1e308}}",
    "huge bands": ONE + "metric: {name: l, target: " + "9" * 100 + "}\n"
    "early_terminate: {type: hyperband, min_iter: " + "9" * 100 + ", eta: " + "9" * 100 + "}",
    "slow bands": ONE + "early_terminate: {type: hyperband, max_iter: " + "9" * 100 + ", s: 1000, "
    "eta: 1.0000000001}",
    "deep parameters": HEAD
    + "parameters: "
    + "{a: {parameters: " * 45
    + "{b: {value: 1}}"
    + "}}" * 45,
    "deep spec": ONE + "training: {spec: {image: x, z: " + "[" * 90 + "]" * 90 + "}}",
    "surrogate": ONE + "x: \ud800",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_ends_soon(text: str) -> None:
    """Each of them took minutes, or forever, with a reader that trusts its input."""
    holds(text)


def test_random_bytes_are_refused_with_a_place() -> None:
    content = random.Random(1).randbytes(10_000)

    with pytest.raises(SweepFileError):
        read(content)


def test_line_ends_of_windows_keep_all_places() -> None:
    with pytest.raises(SweepFileError) as unix:
        read(BROKEN)
    with pytest.raises(SweepFileError) as windows:
        read(BROKEN.replace("\n", "\r\n").encode())

    assert windows.value.faults == unix.value.faults
