"""Write what is generated from the code: settings, metrics and fields of logs, in documents.

    python docs/generate.py [--check]

With --check nothing is written; the exit code says whether the files agree with the code.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from sweeper.settings import settings_reference
from sweeper.telemetry.logfields import log_reference, log_schema
from sweeper.telemetry.reference import metrics_list, metrics_reference

ROOT = Path(__file__).parent.parent

PARTS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "README.md": {"settings": settings_reference, "metrics": metrics_list},
    "docs/metrics.md": {"metrics": metrics_reference},
    "docs/logs.md": {"fields": log_reference},
}
"""By file, the parts that stand between `<!-- name: ... -->` and `<!-- /name -->`."""

WHOLE: Mapping[str, Callable[[], str]] = {"docs/logs.schema.json": log_schema}
"""The files that are generated as a whole."""


def generated(file: str, text: str) -> str:
    """Return the text of a file with what is generated in it as the code has it now."""
    if file in WHOLE:
        return WHOLE[file]()
    for name, reference in PARTS[file].items():
        part = re.compile(rf"(<!-- {name}: [^\n]* -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        body = reference().strip()
        text = part.sub(lambda found, body=body: f"{found[1]}{body}\n{found[2]}", text)
    return text


def main() -> int:
    """Bring the files up to date, or say whether they are."""
    stale = False
    for file in (*PARTS, *WHOLE):
        path = ROOT / file
        before = path.read_text(encoding="utf-8")
        after = generated(file, before)
        stale = stale or before != after
        if "--check" not in sys.argv[1:]:
            path.write_text(after, encoding="utf-8")
    return int(stale and "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
