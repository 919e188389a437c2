"""What a pose changes of an avatar's Gaussians beyond turning its limbs: SVAD, Eq. 10."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from svad.body.skeleton import Joint
from svad.geometry.rotation import rodrigues
from svad.splat.gaussians import Gaussians
from svad.types import Correctives, Pose

BODY = slice(1, 22)  # the joints whose rotations are looked at: all but root, hands and face
FEATURES = 6 * 21
STILL = (Joint.HEAD, *range(20, 55))  # head, wrists, hands and face have none of it


def new_correctives(
    count: int,  # N Gaussians
    *,
    hidden: int = 32,
    coefficients: int = 8,
    seed: int = 0,
) -> Correctives:
    """A network that changes nothing yet: its basis is zero."""
    random = torch.Generator().manual_seed(seed)

    def drawn(rows: int, columns: int) -> Tensor:
        return torch.randn(rows, columns, generator=random) * columns**-0.5

    return Correctives(
        hidden=drawn(hidden, FEATURES),
        hidden_bias=torch.zeros(hidden),
        output=drawn(coefficients, hidden),
        basis=torch.zeros(coefficients, count, 7),
    )


def changes(correctives: Correctives, pose: Pose) -> Tensor:  # [..., N, 7]
    """Metres, logarithm of the size and colour that a pose adds in the rest pose."""
    turns = rodrigues(pose.rotations[..., BODY, :].to(correctives.hidden))  # [..., 21, 3, 3]
    eye = torch.eye(3, dtype=turns.dtype, device=turns.device)
    features = (turns - eye)[..., :2, :].flatten(-3)  # two rows of each rotation tell the third
    inner = torch.tanh(features @ correctives.hidden.T + correctives.hidden_bias)
    amounts = inner @ correctives.output.T  # [..., K]
    flat = amounts @ correctives.basis.flatten(1)
    return flat.unflatten(-1, correctives.basis.shape[1:])


def corrected(rest: Gaussians, correctives: Correctives, pose: Pose) -> Gaussians:
    """The Gaussians of the rest pose with the changes of a pose; of T frames, T of each."""
    change = changes(correctives, pose)
    return replace(
        rest,
        means=rest.means + change[..., :3],
        scales=rest.scales * change[..., 3:4].exp(),
        colors=(rest.colors + change[..., 4:]).clamp(0, 1),
    )
