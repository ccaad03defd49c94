"""Numba kernels of the growing network, one topic per module.

Every function works on plain arrays (layout in `layout`), takes no Python object and holds no
state of its own. Nothing is compiled on import: `jit.kernel` compiles on the first call, or loads
the machine code from the cache. Results are the same bytes on every machine of one architecture:
float32, no reordering, no contraction, no function of the C library except exact ones (floor).
"""
