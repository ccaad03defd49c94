"""Readings of the machine: power, temperature, speed, processors and threads."""
