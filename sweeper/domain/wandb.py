"""What lets a script that was written for W&B's agent take its values, with no account.

W&B's library reads the file that WANDB_SWEEP_PARAM_PATH names and gives its values to
`wandb.config`, as it does below its own agent.
"""

import json
from collections.abc import Collection, Mapping

from sweeper.domain.values import JsonValue, Params

_CHOICES = frozenset({"WANDB_MODE", "WANDB_API_KEY"})


def wandb_variables(sweep_id: str, run_id: str, chosen: Collection[str]) -> dict[str, str]:
    """Return the variables that give a trial one W&B run over all its attempts.

    `chosen` names the variables that the user set. Who chose neither a mode nor an account works
    offline, below our sweep: to W&B's server its id would mean nothing.
    """
    variables = {"WANDB_RUN_ID": run_id, "WANDB_RESUME": "allow"}
    if not _CHOICES.intersection(chosen):
        variables |= {"WANDB_MODE": "offline", "WANDB_SWEEP_ID": sweep_id}
    return variables


def parameter_file(params: Params) -> str:
    """Return the text of the file that W&B's library takes a run's params from."""
    entries: dict[str, JsonValue] = {name: {"value": value} for name, value in params.items()}
    return _yaml(entries | {"wandb_version": 1}) + "\n"


def _yaml(value: JsonValue) -> str:
    """Return `value` in YAML 1.1 as PyYAML reads it, which JSON is not in all respects."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)}: {_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    if isinstance(value, float):
        # 1e-05 without a dot is a string to PyYAML.
        number = repr(value)
        return number if "." in number else number.replace("e", ".0e")
    return json.dumps(value)


def _text(text: str) -> str:
    plain = (character.isascii() and character.isprintable() for character in text)
    quoted = (
        character if is_plain and character not in '"\\' else f"\\U{ord(character):08x}"
        for character, is_plain in zip(text, plain, strict=True)
    )
    return f'"{"".join(quoted)}"'
