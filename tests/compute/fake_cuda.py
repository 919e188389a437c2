"""A CUDA device of shapes and types without numbers, on a machine that has none.

Torch's fake tensors know only what would come out where. They find tensors of two devices in one
operation; what CUDA's kernels refuse and the fake ones take, operands of two floating types, is
looked for here.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from svad.compute import moved

CUDA = torch.device("cuda", 0)
GUARDS = "_ZN3c104impl26device_guard_impl_registryE"  # c10::impl::device_guard_impl_registry
CUDA_TYPE, META_TYPE = 1, 14  # of c10::DeviceType
ONE_TYPE = {  # operations whose CUDA kernels want one floating type of all operands
    *("mm", "addmm", "bmm", "baddbmm", "linear", "matmul", "addmv", "mv", "dot"),
    *("convolution", "native_layer_norm", "native_group_norm", "native_batch_norm"),
    *("cudnn_batch_norm", "grid_sampler_2d", "index_put", "index_put_", "scatter_add"),
    *("_scaled_dot_product_flash_attention", "_scaled_dot_product_efficient_attention"),
}


ROOMS = (
    *("svad.diffusion.", "svad.identity.", "svad.restoration."),
    *("svad.body.lbs", "svad.learn.ssim"),
)


class MixedTypes(TypeError):
    """An operation got operands of two floating types that its CUDA kernel does not take."""


class _OneType(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        if name in ONE_TYPE:
            tensors = [a for a in [*args, *kwargs.values()] if isinstance(a, Tensor)]
            kinds = {str(t.dtype) for t in tensors if t.is_floating_point()}
            if len(kinds) > 1:
                raise MixedTypes(f"{name} of {' and '.join(sorted(kinds))}")
        return func(*args, **kwargs)


@contextmanager
def _device_allowed() -> Iterator[None]:
    """Lets a build without CUDA name such a device: it has no guard for it, and gets an idle one.

    Builds with CUDA do this themselves where no device is there.
    """
    if torch.backends.cuda.is_built():
        yield
        return
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libc10.so"))
        guards = (ctypes.c_void_p * (META_TYPE + 1)).in_dll(library, GUARDS)
    except (OSError, ValueError):
        pytest.skip("this build of torch keeps its device guards elsewhere")
    guards[CUDA_TYPE] = guards[META_TYPE]
    try:
        yield
    finally:
        guards[CUDA_TYPE] = None


@contextmanager
def fake_cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is placed or made within lies on a device that is not there, without numbers."""
    mode = FakeTensorMode(allow_non_fake_inputs=False)

    def to(value: Any, device: Any = None, dtype: Any = None, memory_format: Any = None) -> Any:
        if isinstance(value, nn.Module):
            for module in value.modules():
                for table in (module._parameters, module._buffers):
                    for name, part in table.items():
                        if part is not None:
                            four = memory_format if part.ndim == 4 else None
                            kind = dtype if part.is_floating_point() else None
                            table[name] = to(part, device, kind, four)
            return value
        if value.is_meta:  # of a network without weights
            value = torch.empty(value.shape, dtype=value.dtype)
        with torch.no_grad():
            value = mode.from_tensor(value).detach()
        device = None if device is None else torch.device(device)
        how = {} if memory_format is None else {"memory_format": memory_format}
        where = CUDA if device is not None and device.type == "cuda" else device
        return value.to(device=where, dtype=dtype, **how)

    monkeypatch.setattr(moved, "_to", to)
    _forget()
    try:
        with _device_allowed(), mode, _OneType():
            yield
    finally:
        _forget()


def _forget() -> None:
    """Empties the rooms' caches of tensors: those with and without numbers do not mix."""
    for name, module in list(sys.modules.items()):
        if name.startswith(ROOMS) and module is not None:
            for value in vars(module).values():
                if hasattr(value, "cache_clear") and value.__module__ == name:
                    value.cache_clear()


def numbers(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor of a shape on the device; within `fake_cuda`."""
    return torch.empty(shape, dtype=dtype, device=CUDA)


def on_device(*tensors: Tensor, dtype: torch.dtype) -> None:
    """Results lie on the device, in the type they should have."""
    for tensor in tensors:
        assert (tensor.device, tensor.dtype) == (CUDA, dtype)
