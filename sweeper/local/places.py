"""Where trainings of a local control plane belong: its cluster, its departments and projects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sweeper.local.quotas import EVERYTHING, Allotment, Department

CLUSTER_ID = "5eeb0000-10ca-4000-8000-000000000001"
CLUSTER_NAME = "local"
NODE_POOL = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project of the one cluster that there is.

    Its trainings may use the node pools that they name, else `node_pools` in this order, empty
    meaning all. `allotments` are by node pool; `elsewhere` is that of all other pools.
    """

    id: str = "1"
    name: str = "default"
    cluster_id: str = CLUSTER_ID
    department: str = "default"
    node_pools: tuple[str, ...] = ()
    allotments: Mapping[str, Allotment] = field(default_factory=dict, hash=False)
    elsewhere: Allotment = EVERYTHING

    @property
    def namespace(self) -> str:
        """The namespace that Kubernetes would have for it."""
        return f"runai-{self.name}"

    def allotment(self, pool: str) -> Allotment:
        """Return what it has of a node pool."""
        return self.allotments.get(pool, self.elsewhere)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """All projects, and the departments that bound them."""

    projects: Sequence[Project] = (Project(),)
    departments: Sequence[Department] = (Department(),)

    def project(self, project_id: str) -> Project:
        """Return a project; one that is not there any more deserves nothing special."""
        found = (one for one in self.projects if one.id == project_id)
        return next(found, Project(id=project_id, name=project_id))

    def department(self, name: str) -> Department:
        """Return a department."""
        found = (one for one in self.departments if one.name == name)
        return next(found, Department(name=name))
