"""Terms that keep a cloud in shape: its neighbours change alike, its hands and face little."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]
from torch import Tensor
from torch.nn import functional as F

from svad.avatar.model.learned import Learned
from svad.body.skeleton import HANDS, HEAD_JOINTS
from svad.config.avatar import TrainConfig
from svad.types import Avatar

NEIGHBOURS = 6


class Regularisers:
    """The terms of SVAD, Eq. 11, and of its code, on free values, with gradients in closed form.

    The mean square of the Laplacian x_i - mean of neighbours of offsets, sizes and changes of
    colour, stronger on the head; of the offset itself, stronger on hands and head; of the distance
    of a hand's colours to their mean. Neighbours are the nearest in the rest pose, where limbs are
    apart.
    """

    def __init__(self, avatar: Avatar, config: TrainConfig) -> None:
        means = avatar.gaussians.means
        self._near = Neighbourhood(means)
        self.hands, head = _parts(avatar)
        c = config
        tight = torch.ones(len(means), 1, device=means.device)
        tight[head] = c.head_smooth
        pull = torch.full((len(means), 1), c.stay, device=means.device)
        pull[head] = c.stay_head
        for hand in self.hands:
            pull[hand] = c.stay_hands
        columns = [c.smooth_offsets] * 3 + [c.smooth_sizes] * 3 + [c.smooth_colors] * 3
        # offsets alone are held tighter on the head
        self._weights = torch.tensor(columns, device=means.device).repeat(len(means), 1)
        self._weights[:, :3] *= tight
        self._pull, self._hand_colour = pull, c.hand_colour
        self._joints, self._correctives = c.stay_joints, c.stay_correctives

    @torch.no_grad()
    def gradients(self, learned: Learned) -> dict[str, Tensor]:
        """Of the sum of all terms, by the name of the value."""
        v, count = learned.values, len(self._pull)
        colors = v["colors"] - learned.avatar.gaussians.colors
        values = torch.cat([v["offsets"], v["log_scales"], colors], 1)
        apart = self._near.laplacian(values)
        pull = self._near.transposed(apart * self._weights) * (2 / count)
        pull[:, :3] += self._pull * v["offsets"] * (2 / count)
        for hand in self.hands:
            own = v["colors"][hand]
            pull[hand, 6:] += self._hand_colour * (own - own.mean(0)) * (2 / count)
        found = {"offsets": pull[:, :3], "log_scales": pull[:, 3:6], "colors": pull[:, 6:]}
        found["joint_offsets"] = v["joint_offsets"] * (2 * self._joints / len(v["joint_offsets"]))
        if "basis" in v:
            found["basis"] = v["basis"] * (2 * self._correctives / count)
        return found


class Neighbourhood:
    """Who is next to whom in a cloud, and who names whom as next."""

    def __init__(
        self,
        means: Tensor,  # [N, 3]
    ) -> None:
        points = means.numpy(force=True)
        count, near = len(points), min(NEIGHBOURS + 1, len(points))
        found = np.asarray(cKDTree(points).query(points, k=near, workers=2)[1])
        ids = found.reshape(count, near).astype(np.int64)
        ids = ids[:, min(1, near - 1) :]  # the nearest is the point itself; alone, it has no other
        self._most = max(near - 1, 1)
        order = np.argsort(ids.ravel(), kind="stable")
        starts = np.searchsorted(ids.ravel()[order], np.arange(count))
        tables = (np.ascontiguousarray(ids), order // self._most, starts)
        self._ids, self._named_by, self._starts = (
            torch.from_numpy(table).to(means.device) for table in tables
        )

    def laplacian(
        self,
        values: Tensor,  # [N, C]
    ) -> Tensor:  # [N, C]
        """x_i - mean of its neighbours."""
        return values - F.embedding_bag(self._ids, values, mode="sum") / self._most

    def transposed(
        self,
        values: Tensor,  # [N, C]
    ) -> Tensor:  # [N, C]
        """The transposed matrix of `laplacian`."""
        sums = F.embedding_bag(self._named_by, values, self._starts, mode="sum")
        return values - sums / self._most


def _parts(avatar: Avatar) -> tuple[list[Tensor], Tensor]:
    """Which Gaussians are each hand's, and which are the head's; [M] int64 each."""
    strongest = avatar.joint_weights.argmax(1, keepdim=True)
    joint = avatar.joint_ids.gather(1, strongest)[:, 0]

    def of(joints: tuple[int, ...]) -> Tensor:
        return torch.nonzero(torch.isin(joint, joint.new_tensor(joints)))[:, 0]

    hands = [of(joints) for joints in HANDS.values()]
    return [hand for hand in hands if len(hand)], of(HEAD_JOINTS)
