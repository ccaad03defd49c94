"""Uploads: one file on its way in, and which ranges of it are there."""
