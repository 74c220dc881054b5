"""What sweeps, trials and trainings mean: pure and synchronous, with no I/O and no clock."""
