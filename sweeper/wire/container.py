"""What is run in a training's container: image, command, probes."""

from typing import Literal

from sweeper.wire.scalars import (
    HostName,
    Natural32,
    PortNumber,
    Positive32,
    ProbePath,
    SentModel,
    Text1,
)


class HttpGet(SentModel):
    """A probe by an HTTP GET: an answer below 400 counts as healthy."""

    path: ProbePath | None = None
    """Path to ask for: no query, no escapes. Left out: `/`."""
    port: PortNumber | None = None
    """Port of the container to ask, 1 to 65535; nothing can be probed without it."""
    host: HostName | None = None
    """Host to ask. Left out: the pod's own address."""
    scheme: Literal["HTTP", "HTTPS"] | None = None
    """How to ask. Left out: HTTP."""


class ProbeHandler(SentModel):
    """What a probe does; a GET is the only choice."""

    http_get: HttpGet = HttpGet()
    """The request to make. May be left out, yet never null."""


class Probe(SentModel):
    """When and how often to probe, and what to make of it."""

    initial_delay_seconds: Natural32 | None = None
    """Seconds from the container's start to the first probe, 0 or more."""
    period_seconds: Positive32 | None = None
    """Seconds between two probes, 1 or more."""
    timeout_seconds: Positive32 | None = None
    """Seconds after which a probe without an answer has failed, 1 or more."""
    success_threshold: Positive32 | None = None
    """Good answers in a row that end a time of failure, 1 or more."""
    failure_threshold: Positive32 | None = None
    """Failed probes in a row that count as a failure, 1 or more."""
    handler: ProbeHandler | None = None
    """What to do. Mandatory."""


class Probes(SentModel):
    """The probes of a container: there is one kind only."""

    readiness: Probe | None = None
    """Whether the container can take traffic."""


class ContainerFields(SentModel):
    """The part of a spec that says what is run."""

    command: Text1 | None = None
    """One text, taken in place of the image's entry point."""
    args: Text1 | None = None
    """The command's arguments as one text. A training without any leaves this out."""
    image: Text1 | None = None
    """The container image. Run:ai demands it; the local control plane does without."""
    image_pull_policy: Literal["Always", "Never", "IfNotPresent"] | None = None
    """When to fetch the image. Left out: Always for the tag `latest`, else IfNotPresent."""
    working_dir: Text1 | None = None
    """Directory that the command starts in. Left out: what the image says."""
    create_home_dir: bool | None = None
    """Whether the container gets a home directory."""
    probes: Probes | None = None
    """How the cluster finds out whether the container is ready."""
    tty: bool | None = None
    """Whether the container gets a terminal; `stdin` must then be true as well."""
    stdin: bool | None = None
    """Whether standard input stays open; otherwise a read from it is at its end at once."""
