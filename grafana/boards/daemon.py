"""Daemon and API: whether the daemon is well, and whether the control plane answers it."""

from grafana.boards.board import Json, Line, Section, board
from grafana.boards.panels import Query, band, lines, named, stacked, tile
from grafana.boards.queries import ago, increase, of_instance, of_sweep, quantile, rate
from grafana.boards.tables import Column, rows

_MINUTE = 60.0
_GB = 1e9

_BREAKER = {0: ("closed", "green"), 1: ("trying", "orange"), 2: ("open", "red")}

_WELL = "2..|404|409"
"""Answers that are part of ordinary work: a training that is gone, a name that is taken."""


def daemon() -> Json:
    """Return the board."""
    return board(
        "sweeper-daemon",
        "sweeper / Daemon and API",
        "Whether the daemon is well, and whether the control plane answers it.",
        Section(title="Now", lines=[_now()]),
        Section(title="The control plane", lines=[_answers(), _protection()]),
        Section(title="The daemon", lines=[_work(), _keeping(), _processes()]),
        hours=3,
    )


def _breaker(by: str = "") -> str:
    """Return 2 while the breaker is open, 1 while a call is tried, else 0."""
    worst = f"max{by}"
    opened = of_instance("sweeper_api_breaker_state", state="open")
    trying = of_instance("sweeper_api_breaker_state", state="half_open")
    return f"2 * {worst} ({opened}) + {worst} ({trying})"


def _now() -> Line:
    late = ((None, "green"), (_MINUTE, "orange"), (5 * _MINUTE, "red"))
    tick = tile(
        "Last tick",
        "How long ago the daemon that is latest last looked at everything.",
        Query(f"max ({ago(of_sweep('sweeper_last_tick_timestamp_seconds'))})"),
        unit="s",
        steps=late,
        now=True,
        none="no daemon",
    )
    seen = tile(
        "Last seen",
        "How long ago all trainings were last read from the control plane, of the sweep where it "
        "is longest. Nothing is decided on what is older.",
        Query(f"max ({of_sweep('sweeper_observation_age_seconds')})"),
        unit="s",
        steps=late,
        now=True,
        none="no daemon",
    )
    breaker = named(
        tile(
            "Breaker",
            "Open: after many failures the control plane is left alone for a while. Trying: one "
            "call finds out whether it is back.",
            Query(_breaker()),
            unit="none",
            steps=((None, "green"), (1, "orange"), (2, "red")),
            now=True,
        ),
        _BREAKER,
    )
    requests = of_instance("sweeper_api_requests_total")
    bad = of_instance("sweeper_api_requests_total", but={"status": _WELL})
    failing = tile(
        "Failing requests",
        "The share of requests within five minutes that got no answer or one that is not part of "
        "ordinary work.",
        Query(f"({rate(bad, window='5m')} or vector(0)) / {rate(requests, window='5m')}"),
        unit="percentunit",
        steps=((None, "green"), (0.01, "orange"), (0.1, "red")),
        now=True,
    )
    token = tile(
        "Token expires in",
        "Until the present token expires; it is renewed before. Below nothing, it was refused.",
        Query(f"min ({of_instance('sweeper_api_token_expiry_timestamp_seconds')}) - time()"),
        unit="s",
        steps=((None, "red"), (0, "orange"), (_MINUTE, "green")),
        now=True,
        none="no token",
    )
    room = tile(
        "Room on the disk",
        "Room left for the store, of the sweep where it is least. A full disk ends the daemon.",
        Query(f"min ({of_sweep('sweeper_store_free_bytes')})"),
        unit="bytes",
        steps=((None, "red"), (0.2 * _GB, "orange"), (_GB, "green")),
        now=True,
    )
    return [(4, tick), (4, seen), (4, breaker), (4, failing), (4, token), (4, room)]


def _answers() -> Line:
    requests = of_instance("sweeper_api_requests_total")
    asked = stacked(
        "Requests by operation",
        "HTTP exchanges with the control plane.",
        Query(rate(requests, "operation"), "{{operation}}"),
        unit="reqps",
    )
    bad = of_instance("sweeper_api_requests_total", but={"status": _WELL})
    failed = stacked(
        "Failures by status",
        "Answers that are not part of ordinary work, by HTTP status, and requests that were cut "
        "short, by what cut them. 503 is a control plane that cannot; 401 and 403 want a person.",
        Query(rate(bad, "status"), "{{status}}"),
        unit="reqps",
    )
    took = of_instance("sweeper_api_request_duration_seconds_bucket")
    latency = lines(
        "Latency",
        "From sending a request to the end of its answer.",
        Query(quantile(0.5, took, window="$__rate_interval"), "half within"),
        Query(quantile(0.95, took, window="$__rate_interval"), "19 of 20 within"),
        Query(quantile(0.99, took, window="$__rate_interval"), "99 of 100 within"),
        unit="s",
        steps=((None, "green"), (5, "red")),
    )
    return [(8, asked), (8, failed), (8, latency)]


def _protection() -> Line:
    opened = band(
        "Breaker over time",
        "When the control plane was left alone (open) and when one call was tried.",
        Query(_breaker(" by (instance)"), "{{instance}}"),
        _BREAKER,
    )
    again = lines(
        "Calls repeated within a tick",
        "Reads, suspends, resumes and deletes that were sent again, by operation and reason. A "
        "create is never among them unless it was not sent at all.",
        Query(
            rate(of_instance("sweeper_api_retries_total"), "operation, reason"),
            "{{operation}}: {{reason}}",
        ),
        unit="reqps",
    )
    sent = rate(of_instance("sweeper_api_requests_total"), "instance")
    allowed = f"max by (instance) ({of_instance('sweeper_api_rate_limit_per_second')})"
    limit = lines(
        "Share of the rate limit in use",
        "Requests by the number that may be sent. The limit itself falls when the control plane "
        "says 429 or 503, and climbs again when it is well.",
        Query(f"{sent} / {allowed}", "{{instance}}"),
        unit="percentunit",
        steps=((None, "green"), (1, "red")),
    )
    return [(8, opened), (8, again), (8, limit)]


def _work() -> Line:
    ticks = of_sweep("sweeper_tick_duration_seconds_bucket")
    tick = lines(
        "Tick",
        "The time that one tick takes: read, decide, act, record. Half of all ticks, and by sweep "
        "99 of 100, took no longer.",
        Query(quantile(0.5, ticks, window="$__rate_interval"), "half within"),
        Query(quantile(0.99, ticks, "sweep", window="$__rate_interval"), "{{sweep}}"),
        unit="s",
        steps=((None, "green"), (10, "red")),
    )
    age = lines(
        "Age of what is known",
        "Time since all trainings were last read. It climbs while the control plane is away, and "
        "nothing is decided meanwhile.",
        Query(f"max by (sweep) ({of_sweep('sweeper_observation_age_seconds')})", "{{sweep}}"),
        unit="s",
        steps=((None, "green"), (5 * _MINUTE, "red")),
    )
    commits = of_sweep("sweeper_store_commit_seconds_bucket")
    commit = lines(
        "Time until a write is durable",
        "Of the store's transactions, the wait for their turn included.",
        Query(quantile(0.5, commits, window="$__rate_interval"), "half within"),
        Query(quantile(0.99, commits, window="$__rate_interval"), "99 of 100 within"),
        unit="s",
        steps=((None, "green"), (1, "red")),
    )
    return [(8, tick), (8, age), (8, commit)]


def _keeping() -> Line:
    kept = lines(
        "Rows in the store",
        "Of all sweeps chosen.",
        Query(f"sum by (table) ({of_sweep('sweeper_store_rows')})", "{{table}}"),
        unit="short",
    )
    errors = lines(
        "Errors of the store within ten minutes",
        "Transactions that the store could not carry out. One that lasts ends the daemon.",
        Query(increase(of_sweep("sweeper_store_errors_total"), "sweep", window="10m"), "{{sweep}}"),
        unit="short",
        steps=((None, "green"), (1, "red")),
    ).decimals(0)
    memory = lines(
        "Memory of the process",
        "Resident memory, of each process of sweeper.",
        Query(
            f"max by (instance) ({of_instance('process_resident_memory_bytes')}"
            f" and on (instance) {of_instance('sweeper_build_info')})",
            "{{instance}}",
        ),
        unit="bytes",
    )
    notices = lines(
        "Messages to people within an hour",
        "What `notify` asks for, by what became of it. One that is given up reached nobody for "
        "hours: `sweeper events` says which, and why.",
        Query(
            increase(of_sweep("sweeper_notices_total"), "outcome"),
            "{{outcome}}",
            {"sent": "green", "given_up": "red"},
        ),
        unit="short",
    ).decimals(0)
    return [(6, kept), (6, errors), (6, notices), (6, memory)]


def _processes() -> Line:
    by = "max by (instance)"
    ours = f"and on (instance) {of_instance('sweeper_build_info')}"
    table = rows(
        "Daemons",
        "Each process of sweeper within the choice above, with the sweep that it owns: 0 once it "
        "has let go of it.",
        Column(title="Instance", label="instance", width=220),
        Column(title="Sweep", label="sweep"),
        Column(title="sweeper", label="version", width=110),
        Column(title="Python", label="python", width=110),
        Column(title="SQLite", label="sqlite", width=110),
        Column(
            title="Owns it",
            expr=f"max by (instance, sweep) ({of_sweep('sweeper_owner')})",
            width=100,
        ),
        Column(
            title="Up for",
            expr=f"time() - {by} ({of_instance('process_start_time_seconds')} {ours})",
            unit="s",
            width=120,
        ),
        Column(
            title="CPU",
            expr=f"{by} (rate({of_instance('process_cpu_seconds_total')}[5m]) {ours})",
            unit="percentunit",
            width=100,
        ),
        Column(
            title="May send",
            expr=f"max by (instance) ({of_instance('sweeper_api_rate_limit_per_second')})",
            unit="reqps",
            width=110,
        ),
        Column(
            title="Open files",
            expr=f"{by} ({of_instance('process_open_fds')} {ours})",
            width=110,
        ),
        also=[f"max by (instance, version, python, sqlite) ({of_instance('sweeper_build_info')})"],
        sort="Sweep",
    )
    return [(24, table.height(6))]
