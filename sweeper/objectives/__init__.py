"""Where the values come from that a sweep optimises: what trainings report, and how."""
