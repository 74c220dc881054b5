"""The dashboards, as code: `python -m grafana.boards` writes their JSON."""
