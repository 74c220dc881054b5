"""How a training can be reached: ports, URLs, links."""

from typing import Literal

from sweeper.wire.scalars import Int32, PortNumber, SentModel, Text1


class Port(SentModel):
    """A port of the container that is opened to others."""

    container: PortNumber | None = None
    """The port within the container, 1 to 65535. Mandatory."""
    service_type: Literal["LoadBalancer", "NodePort", "ClusterIP"] | None = None
    """The kind of service in front of it. Mandatory."""
    external: Int32 | None = None
    """The port outside. Left out: one is chosen, as it must be where trials run side by side."""
    tool_type: str | None = None
    """What kind of tool listens; free text."""
    tool_name: str | None = None
    """What the tool is called; free text."""
    name: Text1 | None = None
    """A name for this item, unique among the ports."""
    exclude: bool | None = False
    """Whether to drop the port that a policy adds."""


class ExposedUrl(SentModel):
    """A port of the container that gets a URL."""

    container: Int32 | None = None
    """The port within the container. Mandatory; 1 to 65535 although the contract has no range."""
    url: str | None = None
    """The URL. Left out: one is made, as it must be where trials run side by side."""
    authorized_users: list[str] | None = None
    """Who may open it; never together with groups."""
    authorized_groups: list[str] | None = None
    """Which groups may open it; never together with users."""
    tool_type: str | None = None
    """What kind of tool listens; free text."""
    tool_name: str | None = None
    """What the tool is called; free text."""
    name: Text1 | None = None
    """A name for this item, unique among the exposed URLs."""
    exclude: bool | None = None
    """Whether to drop the URL that a policy adds."""


class RelatedUrl(SentModel):
    """A link shown beside the training."""

    url: str | None = None
    """Where it leads. Mandatory, with content."""
    type: str | None = None
    """What kind of service that is, such as wandb. Mandatory."""
    name: str | None = None
    """A name for this item, unique among the links."""
    exclude: bool | None = False
    """Whether to drop the link that a policy adds."""


class ConnectivityFields(SentModel):
    """The part of a spec that says how the training is reached."""

    ports: list[Port | None] | None = None
    """Ports that others can reach."""
    exposed_urls: list[ExposedUrl | None] | None = None
    """Ports that get a URL."""
    related_urls: list[RelatedUrl | None] | None = None
    """Links shown beside the training."""
