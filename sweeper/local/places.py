"""Where trainings of a local control plane belong: its cluster and its project."""

from dataclasses import dataclass

CLUSTER_ID = "5eeb0000-10ca-4000-8000-000000000001"
CLUSTER_NAME = "local"
NODE_POOL = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project of the one cluster that there is."""

    id: str = "1"
    name: str = "default"
    cluster_id: str = CLUSTER_ID

    @property
    def namespace(self) -> str:
        """The namespace that Kubernetes would have for it."""
        return f"runai-{self.name}"
