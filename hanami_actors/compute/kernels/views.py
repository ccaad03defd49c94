"""Memory at an address as an array, inside compiled code.

These compile to a few instructions each, without calls, checks and reference counts; whoever
calls keeps the memory alive. They need the compiler: an address means nothing without it.
"""

from collections.abc import Callable
from typing import Any

from numba import float32, int32, int64, types, uint8
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from hanami_actors.compute.kernels.layout import TABLE_CELLS, TABLE_HEAD

__all__ = ["bytes_at", "f1", "f2", "f3", "floats_at", "i1", "i2", "i3", "ints_at", "l1", "l2"]

View = Any
"""An array in compiled code; the type checker sees nothing of it."""


def _build(context: Any, builder: Any, kind: Any, address: Any, shape: list[Any]) -> Any:
    """Emit a C-contiguous array of ``kind`` at an address."""
    size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind)))
    strides = [size]
    for length in shape[:0:-1]:
        strides.insert(0, builder.mul(strides[0], length))
    pointer = builder.inttoptr(address, context.get_data_type(kind).as_pointer())
    view = make_array(types.Array(kind, len(shape), "C"))(context, builder)
    populate_array(view, data=pointer, shape=shape, strides=strides, itemsize=size, meminfo=None)
    return view._getvalue()  # noqa: SLF001 - what numba calls it


def _table_view(kind: Any, dimensions: int) -> Callable[..., View]:
    """Make a function (table of addresses, index) -> array with ``dimensions`` dimensions."""

    @intrinsic
    def view(typing_context, table, index):
        """Return entry ``index`` of the table of addresses as an array."""
        del typing_context, index

        def generate(context, builder, signature, arguments):
            table_view = make_array(signature.args[0])(context, builder, arguments[0])
            per_entry = context.get_constant(types.intp, TABLE_CELLS)
            head = context.get_constant(types.intp, TABLE_HEAD)
            first = builder.add(builder.mul(arguments[1], per_entry), head)
            cells = []
            for q in range(1 + dimensions):
                at = builder.add(first, context.get_constant(types.intp, q))
                cells.append(builder.load(builder.gep(table_view.data, [at])))
            return _build(context, builder, kind, cells[0], cells[1:])

        return types.Array(kind, dimensions, "C")(table, int64), generate

    made: Callable[..., View] = view
    return made


def _vector_view(kind: Any) -> Callable[..., View]:
    """Make a function (address, length) -> array."""

    @intrinsic
    def view(typing_context, address, length):
        """Return ``length`` values at an address as an array."""
        del typing_context, address, length

        def generate(context, builder, signature, arguments):
            del signature
            return _build(context, builder, kind, arguments[0], [arguments[1]])

        return types.Array(kind, 1, "C")(int64, int64), generate

    made: Callable[..., View] = view
    return made


i1 = _table_view(int32, 1)
i2 = _table_view(int32, 2)
i3 = _table_view(int32, 3)
l1 = _table_view(int64, 1)
l2 = _table_view(int64, 2)
f1 = _table_view(float32, 1)
f2 = _table_view(float32, 2)
f3 = _table_view(float32, 3)
bytes_at = _vector_view(uint8)
floats_at = _vector_view(float32)
ints_at = _vector_view(int32)
