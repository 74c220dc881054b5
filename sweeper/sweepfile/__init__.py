"""Reads sweep.yaml, W&B's dialect and ours, into a `SweepSpec`; every fault with its place."""
