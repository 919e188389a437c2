"""Gives networks exactly the tensors of their published files."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from svad.core.errors import SvadError

State = Mapping[str, Tensor]

NAMED = 8  # so many keys are named in a message; the rest is counted


class WeightsMismatch(SvadError):
    """A file of weights does not fit its network; the message names the keys."""


def fill(
    network: nn.Module,
    state: State,  # by key of the module tree; knowingly unused keys already left out
    name: str,  # of the file, for messages
    dtype: torch.dtype = torch.float32,  # of all floating-point tensors
    published: Callable[[str], str] = str,
) -> None:
    """Gives a network exactly its tensors; it may stand on the meta device.

    `published` turns a key of the module tree into that of the file, for messages.

    Raises:
        WeightsMismatch: a key is missing, not known, or of another shape.
    """
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    shapes = [
        f"{published(key)} (expected {list(wanted[key])}, found {list(state[key].shape)})"
        for key in wanted.keys() & state.keys()
        if wanted[key] != tuple(state[key].shape)
    ]
    faults = {
        "missing": [published(key) for key in wanted.keys() - state.keys()],
        "not known": [published(key) for key in state.keys() - wanted.keys()],
        "of another shape": shapes,
    }
    found = [f"{what}: {_listed(keys)}" for what, keys in faults.items() if keys]
    if found:
        raise WeightsMismatch(
            f"The weights of {name} do not fit the network. Keys {'; keys '.join(found)}. "
            "Use the file the manifest names, complete and unchanged."
        )
    values = {
        key: value.to(dtype) if value.is_floating_point() else value for key, value in state.items()
    }
    network.load_state_dict(values, strict=True, assign=True)
    network.requires_grad_(False)


def _listed(keys: list[str]) -> str:
    shown = ", ".join(sorted(keys)[:NAMED])
    return shown if len(keys) <= NAMED else f"{shown} and {len(keys) - NAMED} more"
