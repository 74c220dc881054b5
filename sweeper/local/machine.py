"""What this machine offers to trainings, and the order that starts one on it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid5

from sweeper.local.commands import Command, read_command
from sweeper.local.gpus import VISIBLE, Gpu, lock_file
from sweeper.local.nodes import Node
from sweeper.local.pods import Pod
from sweeper.local.probing import Ask, ask_http
from sweeper.local.room import Capacity
from sweeper.local.runtime import StartError, StartOrder
from sweeper.local.sources import PodFields, Sources
from sweeper.local.spec_reading import Spec, items_of, read_spec
from sweeper.local.trainings import LocalTraining
from sweeper.local.volumes import Tenant, clear, clear_others, prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where processes run: GPUs, bounds (None: none), folders, and what all of them inherit.

    With `nodes` these are what is handed out; `gpus` are those of their devices that are real.

    `state` holds Secrets, ConfigMaps, claims and the folders of processes. Where it is not real
    processes are simulated, and have no folders. With `starts_anything` a spec need not say what
    to start, as an image does. `ask` is how readiness is probed.
    """

    gpus: Sequence[Gpu]
    cores: Fraction | None
    memory: Fraction | None
    state: Path
    logs: Path
    gpu_locks: Path
    working_directory: Path
    environment: Mapping[str, str] = field(repr=False)
    project_names: Mapping[str, str]
    nodes: tuple[Node, ...] = ()
    is_real: bool = True
    ask: Ask = ask_http
    starts_anything: bool = False

    def capacity(self, lent: frozenset[int]) -> Capacity:
        """Return what there is to hand out while another control plane uses the GPUs `lent`."""
        if self.nodes:
            return Capacity(nodes=self.nodes, lent=lent, takes_any_pool=False)
        node = Node(
            devices=tuple(gpu.index for gpu in self.gpus),
            cores=self.cores,
            memory=self.memory,
            takes_any=True,
        )
        return Capacity(nodes=(node,), lent=lent)

    def order_for(self, training: LocalTraining, pod: Pod) -> StartOrder:
        """Return the order for the newest start of a pod; where it has volumes, they are made.

        Raises:
            StartError: its spec does not say what to start, or something it needs is missing.
        """
        spec = read_spec(training.spec_text)
        tenant = self._tenant(training, pod, spec)
        volumes = prepare(spec, tenant) if self.makes_folders(training) else {}
        inherited = {**self.environment, **self._told(training, pod), **volumes}
        command = self._command(spec, inherited, tenant.sources)
        return StartOrder(
            key=training.key_of(pod),
            argv=command.argv,
            directory=str(self.working_directory / command.directory),
            environment=command.environment,
            stdin=spec.get("stdin") is True,
            log_file=str(self.log_file(training.name)),
            lock_files=tuple(
                lock_file(self.gpu_locks, gpu.index)
                for gpu in self.gpus
                if gpu.index in pod.devices
            ),
        )

    def _command(self, spec: Spec, inherited: Mapping[str, str], sources: Sources) -> Command:
        directory = str(self.working_directory)
        try:
            return read_command(spec, inherited, directory, sources)
        except StartError:
            if not self.starts_anything:
                raise
            return Command(argv=("true",), environment=inherited, directory=directory)

    def makes_folders(self, training: LocalTraining) -> bool:
        """Whether the processes of a training have folders of their own."""
        return self.is_real and training.lifecycle.has_folder

    def clear(self, training: LocalTraining) -> None:
        """Remove the folders of all starts of a training so far; it blocks."""
        clear(self.state, training.workload_id, training.starts)

    def clear_others(self, kept: Collection[str]) -> None:
        """Remove the folders of all trainings but those with these ids; it blocks."""
        clear_others(self.state, kept)

    def _tenant(self, training: LocalTraining, pod: Pod, spec: Spec) -> Tenant:
        directory = spec.get("workingDir")
        inner = directory if isinstance(directory, str) else ""
        fields = pod_fields(training, pod, spec, self.project_names)
        return Tenant(
            key=training.key_of(pod),
            workload_id=training.workload_id,
            name=training.name,
            directory=str(self.working_directory / inner),
            sources=Sources(state=self.state, fields=fields),
            environment=self.environment,
        )

    def log_file(self, name: str) -> Path:
        """Return where the output of all processes of that workload name goes."""
        return (self.logs / f"{quote(name, safe='')}.log").absolute()

    def _told(self, training: LocalTraining, pod: Pod) -> Mapping[str, str]:
        """Return the variables with which Run:ai tells a container who it is, and CUDA's."""
        told = {
            "RUNAI_PROJECT": self.project_names.get(training.project_id, ""),
            "RUNAI_JOB_NAME": training.name,
            "RUNAI_JOB_UUID": training.workload_id,
            "RUNAI_NUM_OF_GPUS": f"{float(training.need.gpus_of_pod):g}",
        }
        if pod.devices:
            names = {gpu.index: gpu.cuda_name for gpu in self.gpus}
            told[VISIBLE] = ",".join(names.get(one, str(one)) for one in pod.devices)
        if training.lifecycle.parallelism > 1:
            told["POD_INDEX"] = str(pod.index)
        return told


def pod_fields(
    training: LocalTraining, pod: Pod, spec: Spec, project_names: Mapping[str, str]
) -> PodFields:
    """Return what the pod of a start can tell of itself; each start is a new pod."""
    project = project_names.get(training.project_id, "")
    return PodFields(
        plain={
            "metadata.name": training.pod_name(pod),
            "metadata.namespace": f"runai-{project}",
            "metadata.uid": str(uuid5(UUID(training.workload_id), str(pod.start))),
            "spec.nodeName": pod.node or "localhost",
            "spec.serviceAccountName": "default",
            "status.podIP": "127.0.0.1",
            "status.podIPs": "127.0.0.1",
            "status.hostIP": "127.0.0.1",
        },
        labels=_named(spec, "labels"),
        annotations=_named(spec, "annotations"),
    )


def _named(spec: Spec, key: str) -> Mapping[str, str]:
    found = ((item.get("name"), item.get("value")) for _, item in items_of(spec, key))
    return {
        name: value if isinstance(value, str) else ""
        for name, value in found
        if isinstance(name, str)
    }
