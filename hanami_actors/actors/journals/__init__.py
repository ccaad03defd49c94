"""Records beside the log: who asked for what, and the keys of repeated calls."""
