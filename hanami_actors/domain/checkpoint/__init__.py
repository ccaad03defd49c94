"""Checkpoints: names for moments of networks."""
