"""Datasets: IDX and CSV import, typed column files, result writer, checks.

Everything here is plain functions over files and arrays; who calls them in which process or
thread is decided elsewhere.
"""
