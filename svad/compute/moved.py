"""Moves tensors, networks, and dataclasses of them from one device to another."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


def moved(value: T, device: torch.device | str, dtype: torch.dtype | None = None) -> T:
    """A copy of a dataclass whose tensors, at any depth, are on `device`.

    Whatever field has a `to` is moved by it; arrays, cameras and plain values stay as they are.
    `dtype` is for the floating-point tensors of the dataclass itself.
    """
    owner: Any = value
    parts = {field.name: getattr(owner, field.name) for field in fields(owner)}
    for name, part in parts.items():
        if hasattr(part, "is_floating_point"):
            parts[name] = placed(part, device, dtype if part.is_floating_point() else None)
        elif hasattr(part, "to"):
            parts[name] = part.to(device)
    return replace(owner, **parts)


def placed(
    value: T,
    device: torch.device | str | None = None,  # None = where it is
    dtype: torch.dtype | None = None,  # None = as it is
    channels_last: bool = False,
) -> T:
    """A tensor, or a network itself with its parameters and buffers, where and as it will be used.

    All parameters reach their device through here, and so does whoever wants to know which.
    """
    import torch

    order = {"memory_format": torch.channels_last} if channels_last else {}
    return _to(value, device=device, dtype=dtype, **order)


def _to(value: Any, **how: Any) -> Any:
    return value.to(**how)
