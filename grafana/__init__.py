"""What Grafana and Prometheus are given: dashboards, their provisioning, and alerts."""
