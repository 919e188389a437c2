"""Moves dataclasses of tensors from one device to another."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


def moved(value: T, device: torch.device | str) -> T:
    """A copy of a dataclass whose tensors, at any depth, are on `device`.

    Whatever field has a `to` is moved by it; arrays, cameras and plain values stay as they are.
    """
    owner: Any = value
    parts = {field.name: getattr(owner, field.name) for field in fields(owner)}
    return replace(owner, **{k: v.to(device) for k, v in parts.items() if hasattr(v, "to")})
