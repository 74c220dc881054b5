"""The alerts as a resource of the Prometheus operator, made from the file that Prometheus reads.

`python -m tests.deploy.kubernetes.prometheus_rule` (part of `make boards`) writes it.
"""

import textwrap

from tests.deploy.kubernetes.manifests import MANIFESTS, MONITORING

RULES = MANIFESTS.parents[1] / "grafana" / "alerts" / "sweeper.rules.yaml"
RESOURCE = MANIFESTS / MONITORING / "prometheus-rule.yaml"

_HEAD = """\
# Made of grafana/alerts/sweeper.rules.yaml by `make boards`; change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: sweeper
  labels:
    app.kubernetes.io/name: sweeper
spec:
"""


def prometheus_rule() -> str:
    """Return the resource's text."""
    return _HEAD + textwrap.indent(RULES.read_text(encoding="utf-8"), "  ")


if __name__ == "__main__":
    RESOURCE.write_text(prometheus_rule(), encoding="utf-8")
