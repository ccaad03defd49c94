"""Two things numba has no words for: rows added up in registers, and fetching memory ahead.

Results are those of plain loops, bit for bit: vectors here are only 16 lanes that do not touch
each other, multiplied and then added without contraction. `vector.add_rows_plain` says the same as
`add_rows` and takes its place in bounds-checked runs.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import int64, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from hanami_actors.compute.kernels.layout import BLOCK

__all__ = ["add_rows", "prefetch"]

WIDTH = 16
FLOAT_BYTES = 4
WORD = ir.IntType(64)
VECTOR = ir.VectorType(ir.FloatType(), WIDTH)
PREFETCH = ir.FunctionType(
    ir.VoidType(), [ir.IntType(8).as_pointer(), ir.IntType(32), ir.IntType(32), ir.IntType(32)]
)


def _word(number: int) -> Any:
    """Return a constant."""
    return ir.Constant(WORD, number)


def _vector_at(builder: Any, base: Any, offset: int) -> Any:
    """Emit the address of 16 floats."""
    return builder.bitcast(builder.gep(base, [_word(offset)]), VECTOR.as_pointer())


def _load(builder: Any, address: Any) -> Any:
    """Emit the load of 16 floats that need not lie at a multiple of their size."""
    loaded = builder.load(address)
    loaded.align = FLOAT_BYTES
    return loaded


def _spread(builder: Any, number: Any) -> Any:
    """Emit a vector with the same number in all lanes."""
    none = ir.Constant(VECTOR, ir.Undefined)
    one = builder.insert_element(none, number, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(one, none, mask)


@intrinsic
def _add_rows(typing_context, z, weights, so, at, slots, values, first, last):
    """Add ``values[i] * weights[so[at + slots[i]]]`` to ``z``, see `vector.add_rows_plain`."""
    del typing_context

    def generate(context, builder, signature, arguments):
        z_view, w_view, so_view, slot_view, value_view = (
            make_array(signature.args[q])(context, builder, arguments[q]) for q in (0, 1, 2, 4, 5)
        )
        at_value, first_value, last_value = arguments[3], arguments[6], arguments[7]
        offsets = range(0, BLOCK, WIDTH)
        places = [_vector_at(builder, z_view.data, offset) for offset in offsets]
        before = [_load(builder, place) for place in places]
        start = builder.block
        head = builder.append_basic_block("rows.head")
        body = builder.append_basic_block("rows.body")
        done = builder.append_basic_block("rows.done")
        builder.branch(head)
        builder.position_at_end(head)
        i = builder.phi(WORD)
        i.add_incoming(first_value, start)
        sums = [builder.phi(VECTOR) for _ in offsets]
        for total, value in zip(sums, before, strict=True):
            total.add_incoming(value, start)
        builder.cbranch(builder.icmp_signed("<", i, last_value), body, done)
        builder.position_at_end(body)
        slot = builder.sext(builder.load(builder.gep(slot_view.data, [i])), WORD)
        cell = builder.gep(so_view.data, [builder.add(at_value, slot)])
        section = builder.sext(builder.load(cell), WORD)
        row = builder.gep(w_view.data, [builder.mul(section, _word(BLOCK))])
        r = _spread(builder, builder.load(builder.gep(value_view.data, [i])))
        for total, offset in zip(sums, offsets, strict=True):
            w = _load(builder, _vector_at(builder, row, offset))
            total.add_incoming(builder.fadd(total, builder.fmul(r, w)), body)
        i.add_incoming(builder.add(i, _word(1)), body)
        builder.branch(head)
        builder.position_at_end(done)
        for place, total in zip(places, sums, strict=True):
            builder.store(total, place).align = FLOAT_BYTES
        return context.get_dummy_value()

    return types.void(z, weights, so, int64, slots, values, int64, int64), generate


@intrinsic
def _prefetch(typing_context, array, row, offset):
    """Ask for the cache line with byte ``offset`` of a row of an array, and go on."""
    del typing_context, row, offset

    def generate(context, builder, signature, arguments):
        view = make_array(signature.args[0])(context, builder, arguments[0])
        stride = builder.extract_value(view.strides, 0)
        base = builder.ptrtoint(view.data, WORD)
        inside = builder.add(builder.mul(arguments[1], stride), arguments[2])
        address = builder.add(base, inside)
        pointer = builder.inttoptr(address, ir.IntType(8).as_pointer())
        function = builder.module.declare_intrinsic("llvm.prefetch.p0", (), PREFETCH)
        flags = [ir.Constant(ir.IntType(32), flag) for flag in (0, 3, 1)]  # read, keep, data
        builder.call(function, [pointer, *flags])
        return context.get_dummy_value()

    return types.void(array, int64, int64), generate


add_rows: Any = _add_rows
"""Add ``values[i] * weights[so[at + slots[i]]]`` to ``z``, see `vector.add_rows_plain`."""

prefetch: Any = _prefetch
"""Ask for the cache line with byte ``offset`` of a row of an array, and go on."""
