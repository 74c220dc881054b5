"""How good a search is after n trials, beside random draws of the same sweep.

    python benchmarks/search.py [--trials 60] [--seeds 20] [--sampler tpe]

Branin, Hartmann-6 and a small real training (logistic regression by stochastic gradient descent),
each searched with 20 seeds, one trial at a time, by the study that the daemon's own process holds.
Prints one line of JSON for each: the median of the best value after a third, two thirds and all of
the trials, for the model and for random draws, and the ratio of the two at the end, measured
from the best value that is known. Ends with 1 if a model is not ahead of chance.
"""

import argparse
import json
import math
import random
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from sweeper.domain.parameters import LogUniformValues, SearchSpace, Uniform
from sweeper.domain.result import Outcome, Result
from sweeper.domain.sampling import RandomSampler
from sweeper.domain.search import SamplerName
from sweeper.domain.sweep import Goal
from sweeper.search.order import Order
from sweeper.search.study import Study


def branin(params: dict[str, float]) -> float:
    """Return Branin's function; its least value is 0.397887."""
    x, y = params["x"], params["y"]
    bent = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return bent**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


_ALPHA = (1.0, 1.2, 3.0, 3.2)
_A = (
    (10, 3, 17, 3.5, 1.7, 8),
    (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8),
    (17, 8, 0.05, 10, 0.1, 14),
)
_P = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)


def hartmann(params: dict[str, float]) -> float:
    """Return Hartmann's function of six variables; its least value is -3.32237."""
    point = [params[f"x{place}"] for place in range(6)]
    return -sum(
        alpha * math.exp(-sum(a * (x - p) ** 2 for a, x, p in zip(row, point, at, strict=True)))
        for alpha, row, at in zip(_ALPHA, _A, _P, strict=True)
    )


def training(params: dict[str, float]) -> float:
    """Return the loss on held-out data of a logistic regression trained for some epochs."""
    draw = random.Random(1)
    true = [draw.gauss(0, 1) for _ in range(8)]
    rows = [[draw.gauss(0, 1) for _ in true] for _ in range(240)]
    labels = [
        int(draw.random() < _logistic(sum(a * b for a, b in zip(row, true, strict=True))))
        for row in rows
    ]
    weights, speed = [0.0] * len(true), [0.0] * len(true)
    for _ in range(5):
        for row, label in zip(rows[:160], labels, strict=False):
            error = _logistic(sum(a * b for a, b in zip(row, weights, strict=True))) - label
            for place, x in enumerate(row):
                slope = error * x + params["decay"] * weights[place]
                speed[place] = params["momentum"] * speed[place] - params["lr"] * slope
                weights[place] = max(min(weights[place] + speed[place], 50.0), -50.0)
    held_out = zip(rows[160:], labels[160:], strict=True)
    chances = [
        (_logistic(sum(a * b for a, b in zip(row, weights, strict=True))), label)
        for row, label in held_out
    ]
    return -statistics.fmean(
        math.log(max(chance if label else 1 - chance, 1e-9)) for chance, label in chances
    )


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-max(min(value, 30.0), -30.0)))


TASKS: dict[str, tuple[Callable[[dict[str, float]], float], SearchSpace, float | None]] = {
    "branin": (
        branin,
        SearchSpace(parameters={"x": Uniform(min=-5, max=10), "y": Uniform(min=0, max=15)}),
        0.397887,
    ),
    "hartmann6": (
        hartmann,
        SearchSpace(parameters={f"x{place}": Uniform(min=0, max=1) for place in range(6)}),
        -3.32237,
    ),
    "training": (
        training,
        SearchSpace(
            parameters={
                "lr": LogUniformValues(min=1e-5, max=1.0),
                "momentum": Uniform(min=0.0, max=0.99),
                "decay": LogUniformValues(min=1e-6, max=1.0),
            }
        ),
        None,
    ),
}


def searched(task: str, sampler: SamplerName, seed: int, trials: int) -> list[float]:
    """Return the best value after each trial of a search by a model."""
    function, space, _ = TASKS[task]
    study = Study(Order(sampler=sampler, seed=seed, goal=Goal.MINIMIZE, space=space))
    found: list[float] = []
    for number in range(trials):
        params = study.ask(number)
        found.append(function(params))  # type: ignore[arg-type]
        study.tell(
            [
                Result(
                    number=number,
                    params=params,
                    outcome=Outcome.COMPLETED,
                    value=found[-1],
                    reports=1,
                )
            ]
        )
    return best_of(found)


def drawn(task: str, seed: int, trials: int) -> list[float]:
    """Return the best value after each trial of random draws."""
    function, space, _ = TASKS[task]
    sampler = RandomSampler(space, seed)
    return best_of([function(sampler.params(number)) for number in range(trials)])  # type: ignore[arg-type]


def best_of(values: list[float]) -> list[float]:
    """Return the least value so far, after each."""
    return [min(values[: place + 1]) for place in range(len(values))]


def main() -> None:
    """Search and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--sampler", choices=["tpe", "gp", "cmaes"], default="tpe")
    options = parser.parse_args()
    is_ahead = True
    marks = [options.trials // 3, options.trials * 2 // 3, options.trials]
    for task, (_, _, known) in TASKS.items():
        name = SamplerName(options.sampler)
        model = [searched(task, name, seed, options.trials) for seed in range(options.seeds)]
        chance = [drawn(task, seed, options.trials) for seed in range(options.seeds)]
        least = min(run[-1] for run in [*model, *chance]) if known is None else known
        medians = {
            who: [round(statistics.median(run[mark - 1] for run in runs), 5) for mark in marks]
            for who, runs in ((options.sampler, model), ("random", chance))
        }
        ends = [statistics.median(run[-1] for run in runs) - least for runs in (model, chance)]
        ratio = ends[0] / ends[1]
        wins = sum(one[-1] < other[-1] for one, other in zip(model, chance, strict=True))
        is_ahead &= ratio < 1
        figures = {"task": task, "after": marks, **medians, "ratio": round(ratio, 3)}
        print(json.dumps({**figures, "ahead_in": wins, "seeds": options.seeds}))
    sys.exit(int(not is_ahead))


if __name__ == "__main__":
    main()
