"""``python -m hanami_actors.compute.warm``: fill the kernel cache, then exit with 0.

The directory is taken from ``NUMBA_CACHE_DIR`` if it is set; one that cannot be written is no
failure, kernels are then compiled in every process.
"""

from hanami_actors.compute.warming import warm_up

__all__ = ["main"]


def main() -> None:
    """Warm up; the exit status is all a caller needs."""
    warm_up()


if __name__ == "__main__":
    main()
