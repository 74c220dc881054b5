"""The daemon's faces over HTTP: what trainings report to, what probes and verbs ask."""
