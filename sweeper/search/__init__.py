"""Adapter: params suggested by Optuna's samplers, in a process of their own."""
