import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweeper.local import volumes
from sweeper.local.runtime import StartError
from sweeper.local.sources import Sources
from sweeper.local.volumes import MOUNTS, Tenant, clear, clear_others, prepare

DATA_ID = "71f69d83-ba66-4822-adf5-55ce55efd210"


class Place:
    """A state directory, a working directory, and a training that starts there."""

    def __init__(self, root: Path) -> None:
        self.state, self.work = root / "state", root / "work"
        self.work.mkdir()
        for name in ("secrets/db", "configmaps/settings", "claims/kept", f"datavolumes/{DATA_ID}"):
            (self.state / name).mkdir(parents=True)
            (self.state / name / "file").write_text(name)

    def tenant(self, start: int = 1) -> Tenant:
        return Tenant(
            key=f"id-{start}",
            workload_id="id",
            name="one",
            directory=str(self.work),
            sources=Sources(state=self.state),
            environment={"PATH": os.environ["PATH"]},
        )

    def mounts(self, start: int = 1, /, **storage: Any) -> dict[str, Path]:
        told = prepare({"storage": storage}, self.tenant(start))
        found = json.loads(told[MOUNTS])
        return {mount: Path(path) for mount, path in found.items()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_home_is_new_and_private(place: Place) -> None:
    told = prepare({"createHomeDir": True}, place.tenant())

    home = Path(told["HOME"])
    assert (home.stat().st_mode & 0o777, list(home.iterdir())) == (0o700, [])
    assert MOUNTS not in told


def test_what_no_living_training_has_is_removed(tmp_path: Path) -> None:
    for name in (DATA_ID, f"{DATA_ID}-3", f"{DATA_ID[:-1]}f-1"):
        (tmp_path / "pods" / name / "home").mkdir(parents=True)

    clear_others(tmp_path, {DATA_ID})

    assert sorted(one.name for one in (tmp_path / "pods").iterdir()) == [DATA_ID, f"{DATA_ID}-3"]


@pytest.mark.parametrize(
    ("kind", "item", "content"),
    [
        ("configMapVolume", {"configMap": "settings", "mountPath": "/m"}, "configmaps/settings"),
        ("secretVolume", {"secret": "db", "mountPath": "/m"}, "secrets/db"),
        ("dataVolume", {"id": DATA_ID.upper(), "mountPath": "/m"}, f"datavolumes/{DATA_ID}"),
        ("pvc", {"claimName": "kept", "existingPvc": True, "path": "/m"}, "claims/kept"),
    ],
)
def test_a_volume_shows_the_folder_that_it_names(
    place: Place, kind: str, item: dict[str, Any], content: str
) -> None:
    mounts = place.mounts(**{kind: [item]})

    assert (mounts["/m"] / "file").read_text() == content


def test_a_host_path_is_the_directory_of_this_machine(place: Place) -> None:
    item = {"path": str(place.state / "claims"), "mountPath": "/data/x"}

    mounts = place.mounts(hostPath=[item, {**item, "mountPath": "/y", "exclude": True}])

    assert {mount: path.resolve() for mount, path in mounts.items()} == {
        "/data/x": (place.state / "claims").resolve()
    }


def test_a_part_of_a_config_map_can_be_mounted(place: Place) -> None:
    item = {"configMap": "settings", "mountPath": "/m", "subPath": "file"}

    assert place.mounts(configMapVolume=[item])["/m"].read_text() == "configmaps/settings"


def test_a_claim_that_is_not_ephemeral_outlives_its_training(place: Place) -> None:
    claim = {"path": "/m", "claimName": "new"}
    (place.mounts(1, pvc=[claim])["/m"] / "checkpoint").write_text("7")

    clear(place.state, "id", 1)

    assert (place.mounts(2, pvc=[claim])["/m"] / "checkpoint").read_text() == "7"


def test_an_ephemeral_claim_outlives_a_start_and_not_its_training(place: Place) -> None:
    claim = {"path": "/m", "ephemeral": True}
    (place.mounts(1, pvc=[claim])["/m"] / "checkpoint").write_text("7")
    assert (place.mounts(2, pvc=[claim])["/m"] / "checkpoint").read_text() == "7"

    clear(place.state, "id", 2)

    assert list(place.mounts(3, pvc=[claim])["/m"].iterdir()) == []
    assert not (place.state / "pods" / "id-1").exists()


def test_a_mount_path_in_the_working_directory_is_linked(place: Place) -> None:
    inside = str(place.work / "data")
    item = {"secret": "db", "mountPath": inside}
    place.mounts(1, secretVolume=[item])
    clear(place.state, "id", 1)

    place.mounts(2, secretVolume=[item])

    assert (place.work / "data" / "file").read_text() == "secrets/db"


def test_what_is_in_the_working_directory_already_is_left_alone(place: Place) -> None:
    (place.work / "data").mkdir()

    place.mounts(secretVolume=[{"secret": "db", "mountPath": str(place.work / "data")}])

    assert not (place.work / "data").is_symlink()


@pytest.mark.parametrize(
    ("kind", "item", "words"),
    [
        ("hostPath", {"path": "/no/such/place", "mountPath": "/m"}, "does not exist"),
        ("secretVolume", {"secret": "other", "mountPath": "/m"}, "make the folder"),
        ("secretVolume", {"secret": "db", "mountPath": "/"}, "no path to mount at"),
        ("pvc", {"claimName": "other", "existingPvc": True, "path": "/m"}, "make the folder"),
        ("pvc", {"claimName": "../x", "path": "/m"}, "no name"),
        ("dataVolume", {"id": "x", "mountPath": "/m"}, "make the folder"),
        (
            "configMapVolume",
            {"configMap": "settings", "mountPath": "/m", "subPath": "../../secrets"},
            "has no path",
        ),
        ("git", {"repository": "/no/such/repository", "path": "/m"}, "git clone failed"),
        ("git", {"repository": "--upload-pack=x", "path": "/m"}, "git clone failed"),
    ],
)
def test_what_cannot_be_mounted_says_why(
    place: Place, kind: str, item: dict[str, Any], words: str
) -> None:
    with pytest.raises(StartError, match=words):
        place.mounts(**{kind: [item]})


def test_a_mount_path_cannot_lead_out_of_its_folder(place: Place) -> None:
    mounts = place.mounts(secretVolume=[{"secret": "db", "mountPath": "/../../../x"}])

    assert mounts["/../../../x"].is_relative_to(place.state / "pods" / "id-1" / "mounts")


def git(*words: str, cwd: Path) -> str:
    user = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(["git", *user, *words], cwd=cwd, check=True, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    path.mkdir()
    git("init", "--quiet", "--initial-branch=main", cwd=path)
    for content in ("first", "second"):
        (path / "file").write_text(content)
        git("add", "file", cwd=path)
        git("commit", "--quiet", "-m", content, cwd=path)
    git("branch", "old", "HEAD~1", cwd=path)
    return path


@pytest.mark.parametrize(
    ("choice", "content"),
    [({}, "second"), ({"branch": "old"}, "first"), ({"revision": "HEAD~1"}, "first")],
)
def test_a_repository_is_copied_at_what_was_asked_for(
    place: Place, repository: Path, choice: dict[str, str], content: str
) -> None:
    item = {"repository": str(repository), "path": "/code", **choice}

    mounts = place.mounts(git=[item])

    assert (mounts["/code"] / "file").read_text() == content
    assert place.mounts(git=[{**item, "repository": "gone"}]) == mounts


def test_a_revision_that_is_not_there_is_named(place: Place, repository: Path) -> None:
    item = {"repository": str(repository), "path": "/code", "revision": "--output=x"}

    with pytest.raises(StartError, match="git"):
        place.mounts(git=[item])


def test_credentials_of_a_repository_stay_out_of_words_and_messages(place: Place) -> None:
    (place.state / "secrets" / "db" / "User").write_text("me")
    (place.state / "secrets" / "db" / "Password").write_text("hunter2")
    item = {"repository": "http://127.0.0.1:1/x.git", "path": "/m", "passwordSecret": "db"}

    with pytest.raises(StartError, match="git clone failed") as refusal:
        place.mounts(git=[item])

    assert "hunter2" not in str(refusal.value)


def test_credentials_in_the_url_of_a_repository_stay_out_of_messages(place: Place) -> None:
    item = {"repository": "http://me:hunter2@127.0.0.1:1/x.git", "path": "/m"}

    with pytest.raises(StartError, match=r"127\.0\.0\.1") as refusal:
        place.mounts(git=[item])

    assert "hunter2" not in str(refusal.value)


def test_a_clone_that_takes_too_long_is_given_up(
    place: Place, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volumes, "CLONE_SECONDS", 0.0)

    with pytest.raises(StartError, match="takes longer"):
        place.mounts(git=[{"repository": str(repository), "path": "/code"}])


def test_without_git_a_training_that_needs_it_says_so(place: Place) -> None:
    tenant = replace(place.tenant(), environment={"PATH": str(place.work)})
    spec = {"storage": {"git": [{"repository": "x", "path": "/code"}]}}

    with pytest.raises(StartError, match="git cannot be started"):
        prepare(spec, tenant)


def test_a_path_that_no_file_can_have_is_refused(place: Place) -> None:
    with pytest.raises(StartError):
        place.mounts(pvc=[{"path": "/a\ud800", "claimName": "kept"}])
