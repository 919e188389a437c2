"""The compiled kernels of the CPU rasteriser by their names."""

from __future__ import annotations

from svad.splat.kernels import drawing, drawing_backward, projection, projection_backward, tiles

KERNELS = {
    name: value
    for module in (projection, tiles, drawing, drawing_backward, projection_backward)
    for name, value in vars(module).items()
    if getattr(value, "__module__", "") == module.__name__ and hasattr(value, "signatures")
    if name[0] != "_"  # those are pieces of others
}
