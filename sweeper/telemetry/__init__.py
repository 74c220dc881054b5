"""How a daemon is watched: metrics for machines, log lines, a live display for a person."""
