"""What this machine offers to trainings, and the order that starts one on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

from sweeper.local.commands import read_command
from sweeper.local.gpus import VISIBLE, Gpu, lock_file
from sweeper.local.pods import Pod
from sweeper.local.runtime import StartOrder
from sweeper.local.scheduler import Capacity
from sweeper.local.spec_reading import read_spec
from sweeper.local.trainings import LocalTraining


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where processes run: GPUs, bounds (None: none), folders, and what all of them inherit."""

    gpus: Sequence[Gpu]
    cores: Fraction | None
    memory: Fraction | None
    logs: Path
    gpu_locks: Path
    working_directory: Path
    environment: Mapping[str, str] = field(repr=False)
    project_names: Mapping[str, str]

    def capacity(self, lent: frozenset[int]) -> Capacity:
        """Return what there is to hand out while another control plane uses the GPUs `lent`."""
        devices = tuple(gpu.index for gpu in self.gpus)
        return Capacity(devices=devices, lent=lent, cores=self.cores, memory=self.memory)

    def order_for(self, training: LocalTraining, pod: Pod) -> StartOrder:
        """Return the order for the newest start of a pod.

        Raises:
            StartError: its spec does not say what to start.
        """
        inherited = {**self.environment, **self._told(training, pod)}
        command = read_command(
            read_spec(training.spec_text), inherited, str(self.working_directory)
        )
        return StartOrder(
            key=training.key_of(pod),
            argv=command.argv,
            directory=str(self.working_directory / command.directory),
            environment=command.environment,
            log_file=str(self.log_file(training.name)),
            lock_files=tuple(lock_file(self.gpu_locks, device) for device in pod.devices),
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
