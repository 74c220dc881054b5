"""Where sweeps are kept: in memory, or in an SQLite database of their own."""
