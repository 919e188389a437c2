"""Asks the memory for what a loop will read soon."""

from __future__ import annotations

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array


@intrinsic
def fetch(context, array, row):
    """Ask the memory for the line that `array[row]` starts on, without waiting for it."""

    def generate(target, builder, signature, arguments):
        view = make_array(signature.args[0])(target, builder, arguments[0])
        offset = builder.mul(arguments[1], builder.extract_value(view.strides, 0))
        byte = ir.IntType(8).as_pointer()
        place = builder.gep(builder.bitcast(view.data, byte), [offset])
        word = ir.IntType(32)
        function = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        )
        builder.call(function, [place, word(0), word(3), word(1)])
        return target.get_dummy_value()

    return types.void(array, types.intp), generate
