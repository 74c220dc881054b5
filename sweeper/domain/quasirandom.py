"""Quasi-random draws: points that fill the search space more evenly than chance does."""

from functools import lru_cache

from sweeper.domain.parameters import Constant, SearchSpace
from sweeper.domain.sampling import Groups, Path, RandomSampler, leaves
from sweeper.domain.search import SamplerName
from sweeper.errors import MissingExtraError

_BLOCK = 256
_EDGE = 2.0**-53
_BLOCKS = 2**30 // _BLOCK


class QuasiRandomSampler(RandomSampler):
    """Draws from a scrambled Sobol or Halton sequence, a dimension for each parameter.

    The sequence is a function of the seed alone, and its n-th point is found without those before
    it. A Sobol sequence is even over any power of two of its first points (Owen 1998). After 2**30
    points it begins anew.

    Raises:
        MissingExtraError: scipy, which the extra `search` brings, is not installed.
    """

    def __init__(
        self, space: SearchSpace, seed: int, groups: Groups = (), *, name: SamplerName
    ) -> None:
        super().__init__(space, seed, groups)
        self._name = name
        free = [path for path, one in leaves(space) if not isinstance(one, Constant)]
        led = [self._leaders.get(path, path) for path in free]
        self._places = {path: place for place, path in enumerate(dict.fromkeys(led))}
        _require_scipy(name)

    def _quantile(self, index: int, path: Path) -> float:
        place = self._places.get(self._leaders.get(path, path))
        if place is None:
            return 0.5
        block, row = divmod(index, _BLOCK)
        points = _points(self._name, len(self._places), self._seed, block % _BLOCKS)
        return min(max(points[row][place], _EDGE), 1 - _EDGE)


def _require_scipy(name: SamplerName) -> None:
    try:
        import scipy.stats.qmc  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(f"the sampler {name}", "search") from error


@lru_cache(maxsize=8)
def _points(name: SamplerName, dimensions: int, seed: int, block: int) -> list[list[float]]:
    """Return `_BLOCK` points of a sequence."""
    from scipy.stats import qmc

    if name is SamplerName.SOBOL:
        sequence = qmc.Sobol(dimensions, scramble=True, rng=seed)
    else:
        sequence = qmc.Halton(dimensions, scramble=True, rng=seed)
    if block:
        sequence.fast_forward(block * _BLOCK)
    found: list[list[float]] = sequence.random(_BLOCK).tolist()
    return found
