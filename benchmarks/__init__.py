"""Benchmarks: scripts/bench NAME runs bench_NAME.py; the other files are what they share."""
