"""Drive one target by coverage: `python -m tests.fuzz.guided TARGET [options of libFuzzer]`.

Needs atheris, which `make fuzz` installs into a virtual environment of its own.
"""

import sys

import atheris

with atheris.instrument_imports(include=["sweeper"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough, or the target fails."""
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        raise SystemExit(f"name a target: {', '.join(TARGETS)}")
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
