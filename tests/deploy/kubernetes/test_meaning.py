"""What the manifests must say so that a night, or a service, does what the README promises."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sweeper.cli.main import run_command
from sweeper.daemon.service import ON_EXIT_PATIENCE, STOP_GRACE
from sweeper.settings import Settings
from sweeper.sweepfile.durations import parse_duration
from tests.deploy.kubernetes.manifests import (
    MANIFESTS,
    MONITORING,
    NIGHTLY,
    OURS,
    SERVICE,
    SWEEP_FILES,
    Resource,
    built,
    container,
    flag,
    of_kind,
    pod_template,
    variables,
)

pytestmark = pytest.mark.needs("kubectl")


def _seconds(length: timedelta) -> float:
    return length.total_seconds()


def _is_chosen(selector: Mapping[str, str], name: str) -> bool:
    labels: Mapping[str, str] = pod_template(name)["metadata"]["labels"]
    return selector.items() <= labels.items()


@pytest.fixture
def job() -> Resource:
    """The specification of a night's job."""
    spec: Resource = of_kind(NIGHTLY, "CronJob")["spec"]["jobTemplate"]["spec"]
    return spec


@pytest.mark.parametrize("name", OURS)
def test_sweeper_knows_every_flag(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([*container(name)["args"], "--help"]) == 0
    assert run_command([*container(name)["args"], "--no-such-flag", "--help"]) == 2
    capsys.readouterr()


@pytest.mark.parametrize("name", OURS)
def test_sweeper_takes_every_variable_for_a_setting(name: str) -> None:
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}

    assert variables(name).keys() <= known | {"TZ", "HOME", "XDG_RUNTIME_DIR"}


@pytest.mark.parametrize("file", SWEEP_FILES, ids=lambda file: file.name)
def test_the_sweep_files_can_run(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["validate", str(file), "--strict"]) == 0
    capsys.readouterr()


@pytest.mark.parametrize("name", OURS)
def test_the_sweep_file_is_where_sweeper_looks_for_it(name: str) -> None:
    mounts = {each["name"]: each["mountPath"] for each in container(name)["volumeMounts"]}
    volumes = {each["name"]: each for each in pod_template(name)["spec"]["volumes"]}
    kept = {
        resource["metadata"]["name"]: resource["data"]
        for resource in built(name)
        if resource["kind"] == "ConfigMap"
    }

    file = Path(container(name)["args"][1])

    assert str(file.parent) == mounts["sweeps"]
    assert file.name in kept[volumes["sweeps"]["configMap"]["name"]]


def test_a_night_is_killed_only_after_it_should_have_ended_by_itself(job: Resource) -> None:
    by_itself = (
        parse_duration(flag(NIGHTLY, "--max-runtime"))
        + parse_duration(flag(NIGHTLY, "--wait-for-lock"))
        + parse_duration(flag(NIGHTLY, "--linger"))
        + ON_EXIT_PATIENCE
    )

    assert job["activeDeadlineSeconds"] >= _seconds(by_itself) + STOP_GRACE


def test_a_full_night_is_no_failed_job_and_a_failed_one_is_not_repeated(job: Resource) -> None:
    assert "--exit-zero-on-runtime" in container(NIGHTLY)["args"]
    assert job["backoffLimit"] == 0
    assert job["template"]["spec"]["restartPolicy"] == "Never"


def test_a_pod_that_goes_with_its_node_is_replaced(job: Resource) -> None:
    assert job["podFailurePolicy"]["rules"] == [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    ]


def test_two_nights_never_run_at_once_and_a_missed_start_is_made_up_for() -> None:
    spec = of_kind(NIGHTLY, "CronJob")["spec"]

    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] >= 100  # fewer, and the controller may miss it


def test_a_whole_night_has_one_date(job: Resource) -> None:
    spec = of_kind(NIGHTLY, "CronJob")["spec"]
    hour = int(spec["schedule"].split()[1])
    begin = datetime(2026, 11, 25, hour, tzinfo=UTC)
    end = begin + timedelta(seconds=job["activeDeadlineSeconds"] + spec["startingDeadlineSeconds"])

    dates = [_date_at(moment, variables(NIGHTLY)["TZ"]) for moment in (begin, end)]

    assert spec["timeZone"] == "Etc/UTC"
    assert end.date() > begin.date()
    assert dates == ["2026-11-25", "2026-11-25"]


def _date_at(moment: datetime, zone: str) -> str:
    """Return the date that a process in that time zone sees."""
    code = f"import datetime; print(datetime.date.fromtimestamp({moment.timestamp()}))"
    environment = {**os.environ, "TZ": zone}
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return told.stdout.strip()


def test_the_service_has_one_daemon_and_never_two_for_a_moment() -> None:
    spec = of_kind(SERVICE, "Deployment")["spec"]

    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


@pytest.mark.parametrize("name", OURS)
def test_a_start_that_waits_for_the_store_is_not_taken_for_a_dead_one(name: str) -> None:
    probe = container(name)["startupProbe"]
    patience = parse_duration(flag(name, "--wait-for-lock"))

    assert probe["periodSeconds"] * probe["failureThreshold"] > _seconds(patience)


@pytest.mark.parametrize("name", OURS)
def test_the_pod_waits_for_a_daemon_that_stops(name: str) -> None:
    assert pod_template(name)["spec"]["terminationGracePeriodSeconds"] > STOP_GRACE


@pytest.mark.parametrize("name", OURS)
def test_the_secret_comes_as_a_file_and_never_by_the_environment(name: str) -> None:
    given = container(name)
    volumes = {each["name"]: each for each in pod_template(name)["spec"]["volumes"]}
    mounts = {each["mountPath"]: each for each in given["volumeMounts"]}
    file = Path(variables(name)["RUNAI_CLIENT_SECRET_FILE"])

    mount = mounts[str(file.parent)]

    assert mount["readOnly"]
    assert volumes[mount["name"]]["secret"]["defaultMode"] == 0o440
    assert "RUNAI_CLIENT_SECRET" not in variables(name)
    assert not any("secretRef" in source for source in given["envFrom"])
    assert not any("valueFrom" in variable for variable in given["env"])


@pytest.mark.parametrize("name", OURS)
def test_nothing_but_state_and_tmp_can_be_written(name: str) -> None:
    given = container(name)

    writable = {mount["mountPath"] for mount in given["volumeMounts"] if not mount.get("readOnly")}

    assert given["securityContext"]["readOnlyRootFilesystem"]
    assert writable == {"/state", "/tmp"}
    assert {variables(name)[each] for each in ("HOME", "SWEEPER_STATE_DIR")} == {"/state"}
    assert variables(name)["XDG_RUNTIME_DIR"] == "/tmp"


@pytest.mark.parametrize("name", OURS)
def test_kubernetes_gives_it_no_token(name: str) -> None:
    assert pod_template(name)["spec"]["automountServiceAccountToken"] is False
    assert of_kind(name, "ServiceAccount")["automountServiceAccountToken"] is False


def _shared(name: str) -> Mapping[str, Any]:
    """Return what of a pod has nothing to do with how it is started."""
    spec = pod_template(name)["spec"]
    own = ("containers", "volumes", "restartPolicy")
    given = {key: value for key, value in container(name).items() if key not in {"args", "env"}}
    return {key: value for key, value in spec.items() if key not in own} | {"container": given}


def test_the_pods_of_night_and_service_are_hardened_and_probed_alike() -> None:
    assert _shared(NIGHTLY) == _shared(SERVICE)


@pytest.mark.parametrize(
    ("kind", "name", "chosen"),
    [
        ("PodMonitor", MONITORING, [NIGHTLY]),
        ("Service", SERVICE, [SERVICE]),
        ("NetworkPolicy", NIGHTLY, [NIGHTLY, SERVICE]),
    ],
)
def test_selectors_choose_the_pods_that_they_are_for(
    kind: str, name: str, chosen: list[str]
) -> None:
    spec = of_kind(name, kind)["spec"]
    selector = spec.get("podSelector") or spec["selector"]
    labels = selector.get("matchLabels", selector)

    assert [each for each in OURS if _is_chosen(labels, each)] == chosen


def test_the_service_is_watched_also_while_it_is_not_ready() -> None:
    service = of_kind(SERVICE, "Service")
    selector = of_kind(MONITORING, "ServiceMonitor")["spec"]["selector"]["matchLabels"]

    assert selector.items() <= service["metadata"]["labels"].items()
    assert service["spec"]["publishNotReadyAddresses"]


@pytest.mark.parametrize("name", OURS)
def test_metrics_are_served_where_they_are_looked_for(name: str) -> None:
    (port,) = container(name)["ports"]
    monitors = [
        *of_kind(MONITORING, "PodMonitor")["spec"]["podMetricsEndpoints"],
        *of_kind(MONITORING, "ServiceMonitor")["spec"]["endpoints"],
    ]
    let_in = of_kind(name, "NetworkPolicy")["spec"]["ingress"][0]["ports"]

    assert variables(name)["SWEEPER_LISTEN"] == f"0.0.0.0:{port['containerPort']}"
    assert {each["port"] for each in (*monitors, *let_in)} == {port["name"]}


@pytest.mark.parametrize("name", OURS)
def test_every_claim_of_a_volume_is_there(name: str) -> None:
    claimed = [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in pod_template(name)["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    ]

    assert claimed == [of_kind(name, "PersistentVolumeClaim")["metadata"]["name"]]


@pytest.mark.parametrize("name", OURS)
def test_it_runs_as_the_user_that_the_image_is_made_for(name: str) -> None:
    dockerfile = (MANIFESTS.parents[1] / "Dockerfile").read_text(encoding="utf-8")
    made_for = re.search(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)
    given = pod_template(name)["spec"]["securityContext"]

    assert made_for is not None
    assert made_for.groups() == (str(given["runAsUser"]), str(given["runAsGroup"]))
    assert given["fsGroup"] == given["runAsGroup"]
