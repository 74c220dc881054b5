"""What a training is rendered from beside its sweep file and its params."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sweeper.domain.expansion import ordinal


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where the trainings of one sweep go and who hears of them, the same for all trials.

    `directory` is where local trials run, `files` an absolute folder for their parameter files.
    `environment` is the daemon's: it answers `${envvar:NAME}`, and local trials inherit it. The
    three of reporting are asked with a trial's number; None means that there is none.
    """

    sweep_id: str
    sweep_name: str
    slug: str
    is_local: bool
    directory: str
    files: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    report_url: Callable[[int], str] | None = None
    report_token: Callable[[int], str] | None = None
    report_file: Callable[[int], str] | None = None

    def parameter_file(self, number: int) -> str:
        """Return the path of the file that W&B's library takes a local trial's params from."""
        return f"{self.files}/{ordinal(number)}.yaml"

    def json_file(self, number: int) -> str:
        """Return the path that `${args_json_file}` stands for in a local trial."""
        return f"{self.files}/{ordinal(number)}.json"
