"""What training changes of an avatar: free values per Gaussian over a first guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from svad.avatar.model.thin import Blend
from svad.body.correctives import corrected, new_correctives
from svad.body.skin import add_expression, pose_gaussians
from svad.body.skin_fast import pose_cloud
from svad.config.avatar import TrainConfig
from svad.splat.gaussians import Gaussians
from svad.types import Avatar, Correctives, Pose

SMALLEST, LARGEST = -2.5, 1.5  # of the logarithm of a change of scale
FAINTEST = 0.01  # opacity
CORRECTIVES = ("hidden", "hidden_bias", "output", "basis")


@dataclass(frozen=True)
class Learned:
    """An avatar and the changes to it; untrained ones draw the avatar exactly.

    The representation of SVAD, section 3.4, Eq. 9 and 10, with free values in place of a triplane
    and its networks (PERSONA, section 3.2), on any cloud of Gaussians. The values are leaves that
    learn in place: offsets [N, 3] metres in the rest pose, colors [N, 3], log_scales [N, 3] of the
    factor on the scales, opacities [N], joint_offsets [55, 3] metres, and those of the network from
    poses to changes, if there is one.
    """

    avatar: Avatar  # the first guess, N Gaussians
    values: Mapping[str, Tensor]

    @staticmethod
    def of(
        avatar: Avatar,
        coefficients: int = 0,  # of the network from poses to changes; 0 = none
    ) -> Learned:
        """The first guess, unchanged."""
        g = avatar.gaussians
        start = {
            "offsets": torch.zeros_like(g.means),
            "colors": g.colors.clone(),
            "log_scales": torch.zeros_like(g.scales),
            "opacities": g.opacities.clone(),
            "joint_offsets": torch.zeros_like(avatar.joints),
        }
        network = avatar.correctives
        if network is None and coefficients:
            network = new_correctives(len(g), coefficients=coefficients).to(g.means.device)
        if network is not None:
            start |= {name: getattr(network, name).clone() for name in CORRECTIVES}
        return Learned(avatar, {k: v.detach().requires_grad_() for k, v in start.items()})

    def rates(self, config: TrainConfig) -> dict[str, float]:
        """How fast each value learns."""
        c = config
        found = {
            "offsets": c.offset_rate,
            "colors": c.color_rate,
            "log_scales": c.size_rate,
            "opacities": c.opacity_rate,
            "joint_offsets": c.joint_rate,
        }
        return found | {name: c.corrective_rate for name in CORRECTIVES if name in self.values}

    def onto(
        self,
        finer: Avatar,  # M Gaussians
        blend: Blend,  # of the N for each of the M
    ) -> Learned:
        """The same changes on the finer cloud that this one was thinned from."""
        network = self._correctives()
        if network is not None:
            basis = torch.stack([blend(part) for part in network.basis.detach()])
            finer = replace(finer, correctives=replace(network, basis=basis))
        made, g = Learned.of(finer), self.avatar.gaussians
        with torch.no_grad():
            mine, theirs = self.values, made.values
            theirs["offsets"].copy_(blend(mine["offsets"]))
            theirs["log_scales"].copy_(blend(mine["log_scales"]))
            theirs["colors"].add_(blend(mine["colors"] - g.colors))
            theirs["opacities"].add_(blend((mine["opacities"] - g.opacities)[:, None])[:, 0])
            theirs["joint_offsets"].copy_(mine["joint_offsets"])
        made.keep_valid()
        return made

    @torch.no_grad()
    def keep_valid(self) -> None:
        """Brings values back into their ranges after a step."""
        self.values["colors"].clamp_(0, 1)
        self.values["log_scales"].clamp_(SMALLEST, LARGEST)
        self.values["opacities"].clamp_(FAINTEST, 1)

    def gaussians(self) -> Gaussians:
        """The Gaussians in the rest pose, with gradients to the values."""
        g, v = self.avatar.gaussians, self.values
        return Gaussians(
            g.means + v["offsets"],
            g.scales * v["log_scales"].exp(),
            g.quats,
            v["opacities"],
            v["colors"],
        )

    def posed(self, pose: Pose) -> Gaussians:
        """In the poses, as `pose_gaussians`; a single frame on the CPU by compiled loops.

        The network from poses to changes gives no gradient to the poses (SVAD's code).
        """
        rest, a = self.gaussians(), self.avatar
        network = self._correctives()
        if network is not None:
            rest = corrected(
                rest, network, Pose(pose.rotations.detach(), pose.translation, pose.expression)
            )
        joints = a.joints + self.values["joint_offsets"]
        if rest.means.is_cuda or pose.translation.ndim > 1:
            still = replace(a, gaussians=rest, joints=joints, correctives=None)
            return pose_gaussians(still, pose)
        means = add_expression(rest.means, a.expression_ids, a.expression_dirs, pose.expression)
        means, quats = pose_cloud(
            means, rest.quats, a.joint_ids, a.joint_weights, joints, a.parents,
            pose.rotations, pose.translation,
        )  # fmt: skip
        return replace(rest, means=means, quats=quats)

    def finished(self) -> Avatar:
        """The avatar with the changes in it."""
        with torch.no_grad():
            g, network = self.gaussians(), self._correctives()
            joints = self.avatar.joints + self.values["joint_offsets"]
        plain = Gaussians(**{f.name: getattr(g, f.name).detach().clone() for f in fields(g)})
        if network is not None:
            parts = {name: getattr(network, name).detach().clone() for name in CORRECTIVES}
            network = Correctives(**parts)
        return replace(self.avatar, gaussians=plain, joints=joints, correctives=network)

    def _correctives(self) -> Correctives | None:
        if "basis" not in self.values:
            return None
        return Correctives(**{name: self.values[name] for name in CORRECTIVES})
