"""The decorators of all kernels: how they are compiled."""

import os
from collections.abc import Callable
from typing import Any

import llvmlite.binding  # type: ignore[import-untyped]
import numba

from hanami_actors.compute.cache import choose_directory

__all__ = ["CACHE_DIRECTORY", "CHECKED", "entry", "kernel"]

CACHE_DIRECTORY = choose_directory()
"""Where machine code is kept, None when no directory can be written."""

settings: Any = numba.config
if CACHE_DIRECTORY is not None:
    settings.CACHE_DIR = str(CACHE_DIRECTORY)


def _wide_features() -> str | None:
    """Return the features of a processor with 512-bit vectors, asking LLVM to use them.

    By default LLVM takes 256 bits there; 512 train 10 % faster with the same results. None where
    somebody chose processor or features, or there are no such vectors.
    """
    if any(name in os.environ for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")):
        return None
    features = llvmlite.binding.get_host_cpu_features()
    if not features.get("avx512vl"):
        return None
    return f"{features.flatten()},-prefer-256-bit"


WIDE_FEATURES = _wide_features()
if WIDE_FEATURES is not None:
    settings.CPU_FEATURES = WIDE_FEATURES

_compile: Any = numba.njit

CHECKED = bool(settings.BOUNDSCHECK)
"""Every index is checked, as ``NUMBA_BOUNDSCHECK`` asks; kernels are slow."""

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
"""No GIL; division by zero gives inf as in NumPy, so that no loop has a branch for an exception;
no reference counts, because kernels make no arrays."""


def kernel(function: Callable[..., Any]) -> Any:
    """Compile ``function`` as a part of the entries that call it; Python cannot call it.

    No fast mathematics, no parallel loops. Without wrappers for Python and C, a third less to
    compile.
    """
    return _compile(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)


def entry(function: Callable[..., Any]) -> Any:
    """Compile ``function`` on its first call from Python, or load it from the cache."""
    return _compile(function, cache=CACHE_DIRECTORY is not None, no_cfunc_wrapper=True, **OPTIONS)
