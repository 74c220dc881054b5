import pytest

from sweeper.wire.issues import Issue, Path, dotted, in_order


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("image",), "image"),
        (("compute", "gpuDevicesRequest"), "compute.gpuDevicesRequest"),
        (("storage", "pvc", 0, "claimInfo", "size"), "storage.pvc[0].claimInfo.size"),
        ((0, "name"), "[0].name"),
    ],
)
def test_a_path_is_written_as_the_control_plane_does(path: Path, text: str) -> None:
    assert dotted(path) == text
    assert Issue(path=path, message="is odd").field == text


def test_paths_are_ordered_with_items_by_number() -> None:
    paths: list[Path] = [("b",), ("a", 10), ("a", 2, "x"), ("a", "x"), (), ("a", 2)]

    ordered = sorted(paths, key=in_order)

    assert ordered == [(), ("a", 2), ("a", 2, "x"), ("a", 10), ("a", "x"), ("b",)]
