"""The ways from older schemas to ours, in order; a migration that was released never changes."""
