from typing import Any

import pytest

from sweeper.wire.completing import completed


def _host_paths(*items: Any) -> dict[str, Any]:
    return {"image": "x", "storage": {"pvc": [], "hostPath": list(items)}}


@pytest.mark.parametrize("item", [{"path": "/a"}, {"path": "/a", "readOnly": None}])
def test_a_host_path_says_that_it_is_read_only(item: dict[str, Any]) -> None:
    spec = completed(_host_paths(item))

    assert spec == _host_paths({"path": "/a", "readOnly": True})
    assert completed(spec) == spec


@pytest.mark.parametrize(
    "item", [{"readOnly": False}, {"readOnly": True}, {"name": "x", "exclude": True}, None, "x"]
)
def test_what_says_so_already_stays_as_it_is(item: Any) -> None:
    assert completed(_host_paths(item)) == _host_paths(item)


@pytest.mark.parametrize(
    "spec", [{}, {"storage": None}, {"storage": []}, {"storage": {"hostPath": "x"}}]
)
def test_a_spec_without_host_paths_stays_as_it_is(spec: Any) -> None:
    assert completed(spec) == spec


def test_what_was_given_is_not_changed() -> None:
    item = {"path": "/a"}

    completed(_host_paths(item))

    assert item == {"path": "/a"}
