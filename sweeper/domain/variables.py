"""The environment variables that a trial's container or process is given by us."""

import json
from collections.abc import Collection

from sweeper.domain.expansion import ordinal
from sweeper.domain.marks import checkpoint_key
from sweeper.domain.surroundings import Surroundings
from sweeper.domain.values import Params, plain
from sweeper.domain.wandb import wandb_variables


def variables_of(
    around: Surroundings, number: int, attempt: int, params: Params, own: Collection[str]
) -> dict[str, str]:
    """Return our variables by name; `own` are those that the spec sets, which stay as they are.

    No variable is named after a parameter: PATH is a legal name for one.
    """
    key = checkpoint_key(around.slug, around.sweep_id, number)
    chosen = {*own, *around.environment} if around.is_local else set(own)
    variables = {
        "SWEEPER_SWEEP": around.sweep_name,
        "SWEEPER_TRIAL": ordinal(number),
        "SWEEPER_ATTEMPT": str(attempt),
        "SWEEPER_PARAMS": json.dumps(plain(params), separators=(",", ":")),
        "SWEEPER_CHECKPOINT_KEY": key,
        **_reporting(around, number),
        **wandb_variables(around.sweep_id, key, chosen),
    }
    if around.is_local:
        variables["WANDB_SWEEP_PARAM_PATH"] = around.parameter_file(number)
    return {name: text for name, text in variables.items() if name not in own}


def _reporting(around: Surroundings, number: int) -> dict[str, str]:
    given = {
        "SWEEPER_REPORT_URL": around.report_url,
        "SWEEPER_REPORT_TOKEN": around.report_token,
        "SWEEPER_REPORT_FILE": around.report_file if around.is_local else None,
    }
    return {name: answer(number) for name, answer in given.items() if answer is not None}
