"""Trials that are paused and promoted, by a real daemon that is killed on the way."""

import json
from collections import Counter

from tests.acceptance.daemons import Place, lines_of

TRIALS, EPOCHS = 27, 27

TRAINING = """
import os, pathlib, subprocess, sys, sweeper
goodness = float(sys.argv[1].partition("=")[2])
kept = pathlib.Path(os.environ["SWEEPER_CHECKPOINT_KEY"].replace("/", "-"))
done = int(kept.read_text()) if kept.exists() else 0
for epoch in range(done + 1, 28):
    subprocess.run(["sleep", "0.5"], check=True)
    kept.with_suffix(".part").write_text(str(epoch))
    kept.with_suffix(".part").replace(kept)
    with open("epochs.txt", "a") as file:
        file.write(os.environ["SWEEPER_TRIAL"] + "\\n")
    sweeper.report(loss=goodness + 1 / epoch, step=epoch)
"""


async def test_pause_and_promote_finds_the_best_with_less_than_half_of_the_epochs(
    place: Place,
) -> None:
    place.script(TRAINING)
    file = place.sweep(
        "name: demo",
        "program: train.py",
        "method: grid",
        "order: shuffled",
        "seed: 3",
        "metric: {name: loss}",
        f"parameters: {{a: {{min: 1, max: {TRIALS}}}}}",
        f"early_terminate: {{type: asha, max_iter: {EPOCHS}}}",
        "limits: {active: 4}",
    )
    for words in ("active -> interrupted", "parked -> resuming"):
        async with place.run("run", file) as daemon:
            await daemon.says(words)
            await daemon.kill()

    ended = await place.sweeper("run", file, "--json")

    rows = json.loads(ended.out)
    best = min(rows, key=lambda row: row["objective"])
    assert ended.code == 0, ended.err
    assert (best["params"], best["state"], best["attempts"]) == ({"a": 1}, "completed", 1)
    assert Counter(row["state"] for row in rows).keys() == {"completed", "pruned"}
    epochs = Counter(lines_of(place.folder / "epochs.txt"))
    assert len(epochs) == TRIALS
    assert epochs[str(best["trial"])] == EPOCHS
    assert epochs.total() <= 0.45 * TRIALS * EPOCHS
    shown = await place.sweeper("show", file, str(best["trial"]), "--json")
    decided = json.loads(shown.out)["decisions"]
    assert [one["rung"] for one in decided if one["outcome"] in {"kept", "promoted"}] == [1, 3, 9]
