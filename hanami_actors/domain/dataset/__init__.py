"""Datasets: named columns over files that never change."""
