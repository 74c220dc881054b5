"""What can go wrong with a local control plane, by plan: for tests and rehearsals."""
