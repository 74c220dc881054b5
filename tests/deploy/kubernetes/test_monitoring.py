"""Boards and alerts reach a cluster as they are."""

import json

import pytest
from ruamel.yaml import YAML

from tests.deploy.kubernetes.manifests import MANIFESTS, MONITORING, built, of_kind
from tests.deploy.kubernetes.prometheus_rule import RESOURCE, RULES, prometheus_rule

pytestmark = pytest.mark.needs("kubectl")

DASHBOARDS = MANIFESTS.parents[1] / "grafana" / "dashboards"

MOST_BYTES = 262_144
"""What `kubectl apply` can write down of a resource, beside the resource."""


def test_every_dashboard_is_in_a_config_map_and_is_small_enough_to_be_applied() -> None:
    maps = [each for each in built(MONITORING) if each["kind"] == "ConfigMap"]
    carried = {name: text for each in maps for name, text in each["data"].items()}

    kept = {file.name: file.read_text(encoding="utf-8") for file in DASHBOARDS.glob("*.json")}

    assert len(kept) == 3
    assert carried == kept
    assert {each["metadata"]["labels"]["grafana_dashboard"] for each in maps} == {"1"}
    assert max(len(json.dumps(each)) for each in maps) < MOST_BYTES


def test_the_operators_rules_are_the_alerts() -> None:
    assert RESOURCE.read_text(encoding="utf-8") == prometheus_rule(), "make boards"


def test_kustomize_leaves_the_alerts_as_prometheus_reads_them() -> None:
    alerts = YAML(typ="safe").load(RULES.read_text(encoding="utf-8"))

    assert of_kind(MONITORING, "PrometheusRule")["spec"] == alerts
