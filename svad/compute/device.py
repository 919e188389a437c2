"""Device and dtype that networks run in: CUDA or CPU, bfloat16 or float32, and full GPU memory."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def on_zero() -> bool:
    """Whether this is a ZeroGPU machine, where only worker processes see the GPU."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def device() -> torch.device:
    """CUDA where there is one, else the CPU."""
    import torch

    return torch.device("cuda" if on_zero() or torch.cuda.is_available() else "cpu")


def half() -> torch.dtype:
    """The type networks run in: bfloat16 on a GPU, float32 on the CPU."""
    import torch

    return torch.bfloat16 if device().type == "cuda" else torch.float32


def out_of_memory(error: BaseException) -> bool:
    """Whether the GPU's memory was full."""
    torch = sys.modules.get("torch")  # where nobody has loaded it, it has raised nothing
    return torch is not None and isinstance(error, torch.OutOfMemoryError)
