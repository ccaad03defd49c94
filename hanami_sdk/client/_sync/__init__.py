"""`Client` and its parts, made from those of `AsyncClient` by ``scripts/generate``."""
