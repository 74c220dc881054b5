"""The process that suggests: `python -m sweeper.search.serving`, spoken to on its stdin.

A sampler holds the interpreter for as long as it thinks, so it thinks in a process of its own.
That ends with its stdin, and so with the daemon, however that ends.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from sweeper.domain.values import plain
from sweeper.search.messages import read_order, read_result
from sweeper.search.study import Study


def answers(lines: Iterable[str]) -> Iterator[str]:
    """Yield an answer for each line that asks for one."""
    study: Study | None = None
    for line in lines:
        try:
            message: dict[str, Any] = json.loads(line)
            if "order" in message:
                study = Study(read_order(message["order"]))
                continue
            if study is None:
                raise ValueError("nothing was ordered")  # noqa: TRY301 - answered below
            study.tell(map(read_result, message["tell"]))
            yield json.dumps({"params": plain(study.ask(message["ask"]))})
        except Exception as error:  # noqa: BLE001 - whatever it is, who asked must hear of it
            yield json.dumps({"error": f"{type(error).__name__}: {error}"})


def main() -> None:
    """Answer until the input ends."""
    for answer in answers(sys.stdin):
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
