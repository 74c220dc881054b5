"""The first steps of a probe, which change nothing: address, token, cluster and project."""

from sweeper.errors import ControlPlaneError, SettingsError, SweeperError
from sweeper.runai.classify import is_uuid
from sweeper.runai.findings import Finding, Heard, failed
from sweeper.runai.opening import Connection
from sweeper.runai.operations import Operation
from sweeper.runai.probing import Learned, ProbeOrder, Step, note, ok


class Entrance:
    """The way in; afterwards it knows where trainings can be created, if anywhere."""

    def __init__(
        self, connection: Connection, order: ProbeOrder, heard: Heard, learned: Learned
    ) -> None:
        self._connection = connection
        self._order = order
        self._heard = heard
        self._learned = learned
        self._refusal: ControlPlaneError | None = None
        self._is_in = False
        self.project_id = ""
        self.cluster_id = ""

    @property
    def is_open(self) -> bool:
        """Whether it is known where to create a training."""
        return bool(self.project_id and self.cluster_id)

    def steps(self) -> tuple[Step, ...]:
        """Return the steps in their order."""
        return (
            Step(name="address", operation=Operation.TOKEN, take=self._address),
            Step(
                name="token",
                operation=Operation.TOKEN,
                take=self._token,
                is_possible=lambda: self._heard.status(Operation.TOKEN) is not None,
            ),
            Step(
                name="cluster",
                operation=Operation.CLUSTERS,
                take=self._cluster,
                is_possible=lambda: self._is_in,
            ),
            Step(
                name="project",
                operation=Operation.PROJECTS,
                take=self._project,
                is_possible=lambda: self._is_in,
            ),
        )

    async def _address(self) -> Finding:
        """Make the first call; whatever is answered, there is someone."""
        url = self._order.base_url
        try:
            await self._connection.sign_in()
        except ControlPlaneError as error:
            if self._heard.status(Operation.TOKEN) is None:
                raise
            self._refusal = error
        else:
            self._is_in = True
        return ok("address", f"{url} answers{', over TLS' if url.startswith('https') else ''}")

    async def _token(self) -> Finding:
        if self._refusal is not None:
            raise self._refusal
        version, life = self._connection.token_version, self._connection.token_expires_in
        self._learned.note(token_version=version)
        return ok("token", f"{version or 'given'}, good for {life or 0:.0f} s")

    async def _cluster(self) -> Finding:
        wanted = self._order.cluster
        if wanted is None:
            return ok("cluster", "none is named: the project tells its own")
        try:
            self.cluster_id = await self._connection.directory.resolve_cluster(wanted)
        except SettingsError as error:
            if not _is_closed(error) or not is_uuid(wanted):
                raise
            self.cluster_id = wanted
            finding = failed("cluster", Operation.CLUSTERS, error, self._heard)
            return finding if finding.permission else note("cluster", f"{error}, as is done here")
        return ok("cluster", f"{wanted} has the id {self.cluster_id}")

    async def _project(self) -> Finding:
        wanted = self._order.project
        try:
            found = await self._connection.directory.resolve_project(
                wanted, self.cluster_id or None
            )
        except SettingsError as error:
            if not _is_closed(error) or not self.cluster_id:
                raise
            self.project_id = wanted
            finding = failed("project", Operation.PROJECTS, error, self._heard)
            taken = f"{error}; {wanted} is taken as its id"
            return finding if finding.permission else note("project", taken)
        self.cluster_id = self.cluster_id or found.cluster_id or ""
        if not self.cluster_id:
            raise SettingsError(f"project {wanted} does not tell its cluster: name it (--cluster)")
        self.project_id = found.project_id
        return ok("project", f"{wanted} has the id {found.project_id}, cluster {self.cluster_id}")


def _is_closed(error: SweeperError) -> bool:
    """Whether names could not be looked up at all, so that an id is all there is."""
    return isinstance(error.__cause__, ControlPlaneError)
