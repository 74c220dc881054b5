"""Every way in which bytes of others come in, as a function that fails only where we are wrong.

A target takes any bytes. It lets pass the errors that we mean to raise, checks what they say, and
raises whatever else happens. The same functions are driven by hypothesis and the kept corpus in the
test suite, and by coverage in `make fuzz`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from tests.fuzz import answers, files, words

Target: TypeAlias = Callable[[bytes], None]

TARGETS: dict[str, Target] = {
    "sweep-file": files.sweep_file,
    "settings": files.settings,
    "fault-plan": files.fault_plan,
    "configuration": files.configuration,
    "answer": answers.answer,
    "token-answer": answers.token_answer_of_either_call,
    "token-life": answers.token_life,
    "token-file": answers.token_file,
    "retry-after": answers.retry_after,
    "report": words.report,
    "listing-query": words.listing_query,
    "quantity": words.quantity,
    "duration": words.duration,
    "address": words.address,
    "command": words.command,
    "template": words.template,
    "spec": words.spec,
    "token-request": words.token_request,
    "supervisor-message": words.supervisor_message,
}

CORPUS = Path(__file__).parent / "corpus"
"""A folder for each target: inputs that reach what others do not, and every one that broke it."""


def kept(target: str) -> list[Path]:
    """Return the kept inputs of a target, in the order of their names."""
    return sorted(file for file in (CORPUS / target).glob("*") if file.is_file())
