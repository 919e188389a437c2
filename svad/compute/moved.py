"""Moves networks, and dataclasses of tensors, from one device to another."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
Network = TypeVar("Network", bound="torch.nn.Module")


def moved(value: T, device: torch.device | str) -> T:
    """A copy of a dataclass whose tensors, at any depth, are on `device`.

    Whatever field has a `to` is moved by it; arrays, cameras and plain values stay as they are.
    """
    owner: Any = value
    parts = {field.name: getattr(owner, field.name) for field in fields(owner)}
    return replace(owner, **{k: v.to(device) for k, v in parts.items() if hasattr(v, "to")})


def placed(
    network: Network,
    device: torch.device | str,
    dtype: torch.dtype | None = None,  # None = as it is
    channels_last: bool = False,
) -> Network:
    """The network itself, its parameters and buffers where and in the type it will run.

    Every network goes through this one function.
    """
    import torch

    order = {"memory_format": torch.channels_last} if channels_last else {}
    # the annotations of `to` leave the memory format out
    return network.to(device=device, dtype=dtype, **order)  # pyright: ignore[reportCallIssue]
