"""What a seed means: a sweep, a control plane, and everything that goes wrong with both.

A scenario is plain data, drawn from one seed by streams of their own names, so that a new kind of
trouble moves no draw of another. Kept seeds are kept as scenarios in JSON: a changed generator
draws others, and leaves them as they are.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter

DEADLINE_SLACK = 4.5
"""How many seconds after its caller's deadline a create may still take effect: less than the
quarantine allows for, which is the deadline and 5 s."""

LONG_SLACK = 160.0
"""The same where names are not unique, and the quarantine is 180 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How trainings go: seconds queueing and running, and the shares that end badly or stick.

    `kept` is after how many seconds a finished one is deleted (None: never).
    """

    queueing: float = 3.0
    running: tuple[float, float] = (5.0, 60.0)
    failing: float = 0.0
    losing: float = 0.0
    evicting: float = 0.0
    sticking: float = 0.0
    stuck_seconds: float = 400.0
    kept: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """How the control plane answers when it is well."""

    has_listing: bool = True
    unique_names: bool = True
    taken_status: int = 400
    token_seconds: float = 3600.0
    page: int = 500
    read_lag: float = 0.0
    list_lag: float = 0.0
    missing_rows: float = 0.0
    odd_words: float = 0.0
    refusing: float = 0.0
    latency: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something at a time: what, for how long where it lasts, and what share it hits."""

    at: float
    what: str
    seconds: float = 0.0
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The sweep file, as far as it varies; `lowered` is the limit from the next start on.

    `early` is one of `EARLY`, by which trials are stopped early (None: by nothing).
    """

    trials: int = 6
    active: int = 3
    pending: int | None = None
    gpus: int | None = None
    submit_per_minute: int | None = None
    retries: Mapping[str, int] = field(default_factory=dict)
    resume_max: int = 20
    hold_after: int = 3
    leave: bool = False
    failures: int | None = None
    deadline: float | None = None
    timeouts: float = 120.0
    ramps: bool = True
    lowered: int | None = None
    early: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that a run depends on.

    `faults` are the probabilities of each fault of a request; `kills` is that of each effect to
    be a daemon's last, `late` that of a request of a killed daemon to arrive all the same. From
    `calm` on nothing goes wrong any more.
    """

    seed: int
    calm: float = 300.0
    sql: bool = False
    sweep: Sweep = field(default_factory=Sweep)
    course: Course = field(default_factory=Course)
    api: Api = field(default_factory=Api)
    faults: Mapping[str, float] = field(default_factory=dict)
    happenings: tuple[Happening, ...] = ()
    kills: float = 0.0
    late: float = 0.5
    down: float = 5.0

    def has(self, *words: str) -> bool:
        """Whether any happening is one of these."""
        return any(one.what in words for one in self.happenings)


SHAPE = TypeAdapter(Scenario)

FAULTS = (
    "503 before",
    "503 after",
    "500 after",
    "502 before",
    "504 after",
    "drop before",
    "drop after",
    "hang before",
    "hang late",
    "garbage",
    "cut",
    "html",
    "empty",
    "401",
    "429",
    "other id",
)
"""What can befall a single request; `before` and `after` its effect."""

DENIAL = "404"
"""A false 404 to a request about one training, which only a listing can tell from a true one."""

ON_TRAININGS = ("preempt", "lose node", "suspend", "delete", "person resumes")
WINDOWS = ("refused", "outage 503", "silence", "forbidden", "token outage", "no read")
ON_DAEMON = ("kill", "stop", "double start", "jump")
ON_SERVER = ("restart",)
EARLY: Mapping[str, Mapping[str, str | int]] = {
    "asha": {"type": "asha", "min_iter": 2, "eta": 2, "max_iter": 16},
    "halving": {"type": "successive_halving", "min_iter": 2, "eta": 2, "max_iter": 16},
    "hyperband": {"type": "hyperband", "min_iter": 2, "eta": 2},
    "suspending": {"type": "median", "min_iter": 3, "min_trials": 2, "action": "suspend"},
}
"""The ways in which worlds stop trials early."""

OUTAGES = ("refused", "outage 503", "silence")
"""The windows in which nothing of the control plane can be reached."""

WISHES = ("wish pause", "wish suspend", "wish cancel one", "wish retry", "wish cancel")


def draw(seed: int) -> Scenario:
    """Return the scenario of a seed."""

    def stream(name: str) -> random.Random:
        return random.Random(f"{seed}/draw/{name}")

    calm = stream("calm").uniform(30, 150)
    # Now and then all is away for hours, which costs few requests.
    hours = stream("hours")
    away = hours.uniform(1, 4) * 3600 if hours.random() < 0.01 else 0.0
    sweep = _with_early(stream("early"), _sweep(stream("sweep")))
    api = _api(stream("api"))
    course = _course(stream("course"), api)
    daemon = stream("daemon")
    return Scenario(
        seed=seed,
        calm=round(calm + away, 1),
        sql=stream("store").random() < 0.1,
        sweep=sweep,
        course=course,
        api=api,
        faults=_faults(stream("faults")),
        happenings=(*_happenings(seed, calm, sweep, api), *_hours(hours, calm, away)),
        kills=daemon.choice([0, 0, 0.01, 0.03, 0.1]),
        late=daemon.choice([0.0, 0.5, 1.0]),
        down=daemon.choice([0.5, 5, 60]),
    )


def _sweep(rng: random.Random) -> Sweep:
    # Almost all that can go wrong does so with few trials, and many small worlds see more of it.
    few, many = rng.choice([2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 8]), rng.randint(9, 40)
    trials = few if rng.random() < 0.96 else many
    active = rng.randint(1, min(trials, 12))

    def maybe(chance: float, low: int, high: int) -> int | None:
        value = rng.randint(low, high)
        return value if rng.random() < chance else None

    return Sweep(
        trials=trials,
        active=active,
        pending=maybe(0.2, 1, active),
        gpus=maybe(0.2, 1, active),
        submit_per_minute=maybe(0.2, 4, 30),
        retries={
            kind: rng.randint(0, 3)
            for kind in ("application", "infrastructure", "vanished", "timeout")
        },
        resume_max=rng.choice([20, 20, 3]),
        hold_after=rng.choice([3, 3, 0, 2]),
        leave=rng.random() < 0.1,
        failures=maybe(0.15, 1, 4),
        deadline=600.0 if rng.random() < 0.1 else None,
        timeouts=rng.choice([60.0, 60.0, 120.0, 300.0]),
        ramps=rng.random() < 0.7,
        lowered=maybe(0.2, 1, active),
    )


def _with_early(rng: random.Random, sweep: Sweep) -> Sweep:
    if rng.random() >= 0.25:
        return sweep
    # What a person resumes by hand is no promotion, and held by no limit.
    return replace(sweep, early=rng.choice(sorted(EARLY)), leave=False)


def _course(rng: random.Random, api: Api) -> Course:
    longest = rng.choice([5, 5, 20, 20, 40, 90])
    kept = rng.choice([None, None, 5.0, 60.0])
    return Course(
        queueing=rng.choice([0.5, 0.5, 5, 5, 60]),
        running=(longest / 4, longest),
        failing=rng.choice([0, 0, 0.1, 0.5]),
        losing=rng.choice([0, 0, 0.2]),
        evicting=rng.choice([0, 0, 0.2]),
        sticking=rng.choice([0, 0, 0.05]),
        # Without a listing a finished training that is deleted cannot be told from a lost one.
        kept=kept if api.has_listing else None,
    )


def _api(rng: random.Random) -> Api:
    has_listing = rng.random() < 0.85
    return Api(
        has_listing=has_listing,
        # Without a listing nothing but the name keeps a lost create from being made twice.
        unique_names=rng.random() < 0.85 or not has_listing,
        taken_status=rng.choice([400, 409]),
        token_seconds=rng.choice([3600.0, 30.0]),
        page=rng.choice([500, 3, 7]),
        read_lag=rng.choice([0, 0, 2, 15]),
        list_lag=rng.choice([0, 1, 5, 15]),
        missing_rows=rng.choice([0, 0, 0.05, 0.3]),
        odd_words=rng.choice([0, 0, 0.1]),
        refusing=rng.choice([0, 0, 0, 0.1]),
        latency=rng.choice([0.05, 0.3, 2.0]),
    )


def _faults(rng: random.Random) -> Mapping[str, float]:
    level = rng.choice([0.0, 0.02, 0.08, 0.25])
    count = rng.randint(1, 8)
    weights = {fault: rng.random() for fault in rng.sample(FAULTS, count)}
    whole = sum(weights.values())
    drawn = {fault: round(level * weight / whole, 5) for fault, weight in weights.items()}
    return drawn | {DENIAL: rng.choice([0.05, 0.2, 0.5])} if rng.random() < 0.1 else drawn


def _happenings(seed: int, calm: float, sweep: Sweep, api: Api) -> tuple[Happening, ...]:
    found: list[Happening] = []
    for kinds, chance in (
        (ON_TRAININGS, 0.3),
        (WINDOWS, 0.15),
        (ON_DAEMON, 0.25),
        (ON_SERVER, 0.15),
        (WISHES, 0.07),
    ):
        for kind in kinds:
            if kind == "person resumes" and sweep.early is not None:
                continue
            rng = random.Random(f"{seed}/draw/happening/{kind}")
            times = rng.choice([1, 1, 2, 6]) if rng.random() < chance else 0
            found += [_happening(rng, calm, kind) for _ in range(times)]
    rng = random.Random(f"{seed}/draw/happening/lost")
    # Few that are lost are believed to be gone, so only a short or a large loss can be told.
    if rng.random() < 0.1:
        what = rng.choice(["amnesia", "restored"])
        if what == "amnesia":
            # What nothing shows a minute after its create, and a delete did not find, is believed
            # to be gone.
            found = [one for one in found if not one.what.startswith("wish cancel")]
        if what == "amnesia" or (sweep.active > 1 and api.has_listing):
            found.append(Happening(at=round(rng.uniform(5, calm), 1), what=what, seconds=40))
    rng = random.Random(f"{seed}/draw/happening/foreign")
    if rng.random() < 0.3:
        what = rng.choice(["foreign", "copy", "squatter"])
        found.append(Happening(at=round(rng.uniform(0, calm), 1), what=what))
    return tuple(sorted(found, key=lambda one: (one.at, one.what)))


def _hours(rng: random.Random, calm: float, away: float) -> tuple[Happening, ...]:
    what = rng.choice(OUTAGES)
    return (Happening(at=round(calm, 1), what=what, seconds=away),) if away else ()


def _happening(rng: random.Random, calm: float, kind: str) -> Happening:
    seconds = rng.choice([10, 60, 300])
    if kind == "jump":
        seconds = rng.choice([3600, -3600, 86_400, -86_400])
    return Happening(
        at=round(rng.uniform(1, calm), 1),
        what=kind,
        seconds=seconds,
        share=rng.choice([0.2, 0.5, 1.0]),
    )
