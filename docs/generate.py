"""Write into README.md what is generated from the code: settings and metrics.

    python docs/generate.py [--check]

With --check nothing is written; the exit code says whether README agrees with the code.
"""

import re
import sys
from pathlib import Path

from sweeper.settings import settings_reference
from sweeper.telemetry.catalogue import metrics_reference

README = Path(__file__).parent.parent / "README.md"


def generated(text: str) -> str:
    """Return README's text with its generated parts as the code has them now."""
    for name, reference in (("settings", settings_reference()), ("metrics", metrics_reference())):
        part = re.compile(rf"(<!-- {name}: [^\n]* -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = part.sub(lambda found, body=reference: f"{found[1]}{body.strip()}\n{found[2]}", text)
    return text


def main() -> int:
    """Bring README up to date, or say whether it is."""
    before = README.read_text(encoding="utf-8")
    after = generated(before)
    if "--check" in sys.argv[1:]:
        return int(before != after)
    README.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
