"""What the HTTP face of a local control plane stands on."""

from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.local.engine import Engine
from sweeper.local.keeping import Keeper
from sweeper.local.places import CLUSTER_ID, Project
from sweeper.local.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One open control plane: what it does, what it knows, and who may come in."""

    engine: Engine
    keeper: Keeper
    tokens: Tokens
    projects: Sequence[Project]
    cluster_id: str = CLUSTER_ID

    def project(self, project_id: str) -> Project | None:
        """Return the project of that id."""
        return next((one for one in self.projects if one.id == project_id), None)
