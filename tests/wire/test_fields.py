from typing import Any

import pytest

from sweeper.wire.fields import fields_of, nearest, suggestion
from sweeper.wire.training import TrainingCreationRequest, TrainingSpec


def test_fields_are_known_by_place() -> None:
    fields = fields_of(TrainingSpec)

    assert "image" in fields[""]
    assert "claimInfo" in fields["storage.pvc[]"]
    assert fields["storage.pvc[].claimInfo.accessModes"] == (
        "readWriteOnce",
        "readOnlyMany",
        "readWriteMany",
    )
    assert "container" in fields_of(TrainingCreationRequest)["spec.ports[]"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (("imag",), "did you mean image?"),
        (("workingdir",), "did you mean workingDir?"),
        (("compute", "gpuDeviceRequest"), "did you mean gpuDevicesRequest?"),
        (("storage", "pvc", 3, "claimname"), "did you mean claimName?"),
        (("gpuDevicesRequest",), "move it to compute"),
        (("compute", "restartPolicy"), "move it to spec"),
        (("readOnlyMany",), ""),
        (("storage", "secretVolume", 0, "subPath"), ""),
        (("mountPath",), ""),
        (("nothing-like-it",), ""),
        (("image" * 30,), ""),
        (("unknown", "imag"), ""),
    ],
)
def test_an_unknown_field_in_a_spec_gets_what_was_meant(path: Any, told: str) -> None:
    assert suggestion(path, TrainingSpec) == told


@pytest.mark.parametrize(
    ("key", "told"),
    [("projectID", "did you mean projectId?"), ("image", "move it to spec"), ("foo", "")],
)
def test_an_unknown_field_beside_the_spec_gets_what_was_meant(key: str, told: str) -> None:
    assert suggestion((key,), TrainingCreationRequest) == told


@pytest.mark.parametrize(
    ("word", "near"), [("alway", "Always"), ("NEVER", "Never"), ("x", ""), ("", "")]
)
def test_the_nearest_word_is_found_whatever_its_case(word: str, near: str) -> None:
    assert nearest(word, ["Always", "Never"]) == near
