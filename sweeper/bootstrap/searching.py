"""Who gives the trials of a sweep their params: the file alone, or a model of the results."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sweeper.domain.expansion import Expansion
from sweeper.domain.result import Result
from sweeper.domain.search import SamplerName, SearchSpec
from sweeper.domain.sweep import Goal, SweepSpec
from sweeper.domain.values import Params
from sweeper.errors import MissingExtraError, SettingsError
from sweeper.ports import Searcher, Store, Telemetry
from sweeper.tasks import side_tasks

if TYPE_CHECKING:
    from sweeper.search.order import Order

_log = logging.getLogger(__name__)


def has_model(spec: SweepSpec) -> bool:
    """Return whether a model suggests the params of a sweep.

    W&B's `method: bayes` alone is drawn at random where Optuna is not installed, so that such a
    file runs anywhere; whoever names a sampler is told what to install.

    Raises:
        MissingExtraError, SettingsError: the file names a sampler that needs what is not
            installed.
    """
    search = spec.search
    if search is None or not search.sampler.is_model_based:
        return False
    if find_spec("optuna") is None:
        if search.is_implied:
            return False
        raise MissingExtraError(f"the sampler {search.sampler}", "search")
    if search.sampler is SamplerName.CMAES and find_spec("cmaes") is None:
        raise MissingExtraError(f"the sampler {search.sampler}", "search")
    if search.sampler is SamplerName.GP and find_spec("torch") is None:
        # No extra of ours: which of its builds is right, only the machine's owner knows.
        raise SettingsError(
            "the sampler gp needs PyTorch, which is not installed: pip install torch"
        )
    return True


def fall_back(spec: SweepSpec) -> str:
    """Return what to say of a search that is drawn at random for want of Optuna, "" if none is."""
    is_bayes = spec.search is not None and spec.search.is_implied
    if not is_bayes or has_model(spec):
        return ""
    return (
        "bayes needs Optuna, which is not installed: trials are drawn at random; "
        "pip install 'sweeper[search]'"
    )


def known_params(spec: SweepSpec, expansion: Expansion, count: int) -> list[Params]:
    """Return the params of the first `count` trials, fewer where they depend on results."""
    if not has_model(spec):
        return [expansion.params(number) for number in range(count)]
    from sweeper.search.study import Study

    study, repeats = Study(_order(spec)), expansion.repeats
    # What other sweeps taught it decides from the first draw on.
    learned = spec.search is not None and bool(spec.search.warm_start)
    ahead = expansion.given + (0 if learned else study.startup * repeats)
    return [
        expansion.params(number) if number < expansion.given else study.ask(number // repeats)
        for number in range(min(count, ahead))
    ]


def _order(spec: SweepSpec, prior: tuple[Result, ...] = ()) -> "Order":
    # Optuna takes half a second to import: only who needs it waits for that.
    from sweeper.search.order import Order

    search = spec.search or SearchSpec(sampler=SamplerName.TPE)
    return Order(
        sampler=search.sampler,
        seed=spec.seed,
        goal=spec.objective.goal if spec.objective else Goal.MINIMIZE,
        space=spec.space,
        groups=spec.zip,
        options=search.options,
        rules=spec.rules,
        prior=prior,
    )


@asynccontextmanager
async def searching(
    spec: SweepSpec,
    expansion: Expansion,
    store: Store,
    *,
    prior: Callable[[], Awaitable[tuple[Result, ...]]],
    on_ready: Callable[[], None],
    heard: Callable[[float, bool], None],
) -> AsyncIterator[tuple[Searcher, tuple[Telemetry, ...]]]:
    """Open what gives trials their params, and what must hear of the store's events for that.

    `prior` is asked for what a model learns from before the first trial.
    """
    if not has_model(spec):
        if fall_back(spec):
            _log.warning("%s", fall_back(spec))
        yield expansion, ()
        return
    from sweeper.search.process import study_process
    from sweeper.search.suggesting import Suggestions

    async with study_process(_order(spec, await prior())) as study, side_tasks() as tasks:
        suggestions = Suggestions(
            store=store, study=study, expansion=expansion, on_ready=on_ready, heard=heard
        )
        serving = tasks.create_task(suggestions.serve(), name="suggestions")
        try:
            yield suggestions, (suggestions,)
        finally:
            serving.cancel()
