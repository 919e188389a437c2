"""The FLAME head model: identity, expression, jaw and eyes to vertices and landmarks.

FLAME (Li et al., SIGGRAPH Asia 2017) is skinned like SMPL: blend shapes, joints regressed from
the shaped mesh, pose correctives, linear blend skinning. The identity part is computed once per
person, the expression part once per expression; only skinning remains for a frame. A head can be
cut to the vertices somebody needs (`Flame.at`), since its joints do not need the other vertices.
Letters: B heads, V vertices, F faces.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from svad.compute.moved import moved
from svad.geometry.rotation import rodrigues_published
from svad.weights.convert import read_checkpoint
from svad.weights.strict import State, WeightsMismatch, fill

VERTICES, FACES = 5023, 9976
IDENTITY, EXPRESSION = 300, 100  # blend shapes, in this order
PARENTS = (-1, 0, 1, 1, 1)  # root, neck, jaw, the two eyes
LANDMARKS = 70  # 68 in iBUG order and the two eye centres
SCALE = 5.0  # units of the head avatar per metre
# vertices that stand for the eyelid points where these are asked for: landmark -> mean of two
EYELIDS = {
    **{37: (2452, 2454), 38: (2471, 2471), 40: (2276, 2276), 41: (2360, 2360)},
    **{43: (1292, 1292), 44: (1217, 1217), 46: (999, 999), 47: (827, 827)},
}


@dataclass(frozen=True)
class Rest:
    """Heads in the rest pose."""

    vertices: Tensor  # [B, V, 3] metres
    joints: Tensor  # [B, 5, 3] metres


@dataclass(frozen=True)
class Flame:
    """The model, or a part of its vertices with all of its joints."""

    template: Tensor  # [V, 3] metres
    directions: Tensor  # [V, 3, 400] metres per unit coefficient
    pose_directions: Tensor  # [36, V, 3] metres per unit of a rotation's entry
    weights: Tensor  # [V, 5], rows sum to 1
    joints: Tensor  # [5, 3] of the template
    joint_directions: Tensor  # [5, 3, 400]
    faces: Tensor  # [F, 3] int64; none in a part
    landmark_ids: Tensor  # [70, 3] int64, rows of `template`; none in a part without them
    landmark_shares: Tensor  # [70, 3] of the three vertices
    eyelid_ids: Tensor  # [8, 2] int64, rows of `template`, in the order of EYELIDS

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> Flame:
        """The same head elsewhere; indices keep their type."""
        return moved(self, device, dtype)

    def at(self, rows: Tensor) -> Flame:  # [N] int64 -> a head of N vertices
        """The head cut to some vertices; it has no faces and no landmarks."""
        none = self.faces[:0]
        return replace(
            self, template=self.template[rows], directions=self.directions[rows],
            pose_directions=self.pose_directions[:, rows], weights=self.weights[rows],
            faces=none, landmark_ids=none, landmark_shares=self.landmark_shares[:0],
            eyelid_ids=self.eyelid_ids[:0],
        )  # fmt: skip

    def for_landmarks(self) -> Flame:
        """The head cut to the vertices its landmarks hang on (about 200)."""
        wanted = torch.cat([self.landmark_ids.flatten(), self.eyelid_ids.flatten()])
        rows, place = wanted.unique(return_inverse=True)
        count = self.landmark_ids.numel()
        return replace(
            self.at(rows), landmark_shares=self.landmark_shares,
            landmark_ids=place[:count].view_as(self.landmark_ids),
            eyelid_ids=place[count:].view_as(self.eyelid_ids),
        )  # fmt: skip

    def identity(self, shape: Tensor) -> Rest:  # [B, 300]
        """A person's head without expression: computed once per person."""
        return self._shaped(Rest(self.template[None], self.joints[None]), shape, slice(0, IDENTITY))

    def express(self, identity: Rest, expression: Tensor) -> Rest:  # 1 or B heads, [B, 100]
        """The rest head with expressions, before jaw and eyes turn."""
        return self._shaped(identity, expression, slice(IDENTITY, IDENTITY + EXPRESSION))

    def pose(
        self,
        rest: Rest,  # 1 or B heads
        pose: Tensor,  # [B, 6] axis-angle of the head and the jaw, radians
        eyes: Tensor,  # [B, 6] axis-angle of the two eyes, radians
        scale: float = SCALE,
    ) -> Tensor:  # [B, V, 3]
        """The skinned vertices, times `scale`."""
        turns = rotations(pose, eyes)
        feature = (turns[:, 1:] - identity_like(turns)).flatten(1)
        moved = rest.vertices + torch.einsum("bp,pvc->bvc", feature, self.pose_directions)
        chained, posed = chain(turns, rest.joints.expand(len(turns), -1, -1))
        shift = posed - (chained @ rest.joints[..., None]).squeeze(-1)
        blended = torch.einsum("vj,bjrc->bvrc", self.weights, chained)
        skinned = (blended @ moved[..., None]).squeeze(-1)
        return scale * (skinned + torch.einsum("vj,bjc->bvc", self.weights, shift))

    def landmarks(
        self,
        vertices: Tensor,  # [..., V, C]
        *,
        eyelids: bool = False,  # eyelid points on vertices of the lids, not in the table's faces
    ) -> Tensor:  # [..., 70, C]
        """The 68 iBUG points and the two eye centres on a mesh."""
        corners = vertices[..., self.landmark_ids.flatten(), :].unflatten(-2, (-1, 3))
        points = (corners * self.landmark_shares[..., None].to(vertices)).sum(-2)
        if not eyelids:
            return points
        pairs = vertices[..., self.eyelid_ids.flatten(), :].unflatten(-2, (-1, 2))
        places = torch.tensor(list(EYELIDS), device=vertices.device)
        return points.index_copy(-2, places, pairs.mean(-2))

    def _shaped(self, rest: Rest, values: Tensor, part: slice) -> Rest:
        moved = torch.einsum("bk,vck->bvc", values, self.directions[..., part])
        joints = torch.einsum("bk,jck->bjc", values, self.joint_directions[..., part])
        return Rest(rest.vertices + moved, rest.joints + joints)


def rotations(
    pose: Tensor,  # [B, 6] head and jaw
    eyes: Tensor,  # [B, 6]
) -> Tensor:  # [B, 5, 3, 3]
    """The rotation of each joint against its parent; the neck never turns."""
    neck = torch.zeros_like(pose[:, :3])
    return rodrigues_published(
        torch.cat([pose[:, :3], neck, pose[:, 3:], eyes], 1).unflatten(1, (5, 3))
    )


def chain(
    turns: Tensor,  # [B, 5, 3, 3] of each joint against its parent
    joints: Tensor,  # [B, 5, 3] at rest
) -> tuple[Tensor, Tensor]:  # [B, 5, 3, 3], [B, 5, 3]
    """Rotations in the head's frame, and where the joints come to lie."""
    turned, placed = [turns[:, 0]], [joints[:, 0]]
    for joint, parent in enumerate(PARENTS[1:], 1):
        arm = (joints[:, joint] - joints[:, parent])[..., None]
        placed.append(placed[parent] + (turned[parent] @ arm).squeeze(-1))
        turned.append(turned[parent] @ turns[:, joint])
    return torch.stack(turned, 1), torch.stack(placed, 1)


def identity_like(matrix: Tensor) -> Tensor:  # [..., 3, 3] -> [3, 3]
    """The unit matrix where `matrix` lives."""
    return torch.eye(3, dtype=matrix.dtype, device=matrix.device)


def load_flame(path: Path) -> Flame:
    """Reads the converted asset `FLAME_with_eye`.

    Raises:
        WeightsMismatch: a key is missing, unknown or of another shape, or an index has no vertex.
        UnsafeFile: the file is damaged, or holds more than tensors.
    """
    return make_flame(read_checkpoint(path), path.name)


def make_flame(state: State, name: str = "FLAME_with_eye") -> Flame:
    """The model from the tensors of the asset, by dotted key. Raises `WeightsMismatch`."""
    asset = _Asset()
    fill(asset, state, name)
    model, table = asset.flame_model.get_buffer, asset.lmk_embeddings.get_buffer
    faces = _indices(model("f"), VERTICES, name, "flame_model.f")
    chosen = "full_lmk_faces_idx_with_eye"
    chosen = _indices(table(chosen)[0], FACES, name, f"lmk_embeddings.{chosen}")
    if tuple(model("kintree_table")[0, 1:].tolist()) != PARENTS[1:]:
        raise WeightsMismatch(f"{name} has other joints than FLAME; use the unchanged file.")
    exact = model("J_regressor").double()
    template, directions = model("v_template"), model("shapedirs")
    # joints are linear in the coefficients, so their own directions serve for every mesh
    joint_directions = torch.einsum("jv,vck->jck", exact, directions.double())
    return Flame(
        template=template, directions=directions, weights=model("weights"),
        pose_directions=model("posedirs").permute(2, 0, 1).contiguous(),
        joints=(exact @ template.double()).float(),
        joint_directions=joint_directions.float(), faces=faces, landmark_ids=faces[chosen],
        landmark_shares=table("full_lmk_bary_coords_with_eye")[0],
        eyelid_ids=torch.tensor(list(EYELIDS.values())),
    )  # fmt: skip


def _indices(values: Tensor, limit: int, name: str, key: str) -> Tensor:
    values = values.long()
    if int(values.min()) < 0 or int(values.max()) >= limit:
        raise WeightsMismatch(f"{name}: {key} points outside of the {limit} it may name.")
    return values


class _Table(nn.Module):
    """Named tensors of known shapes, empty until filled."""

    def __init__(self, shapes: dict[str, tuple[int, ...]]) -> None:
        super().__init__()
        for name, shape in shapes.items():
            self.register_buffer(name, torch.empty(shape, device="meta"))


class _Asset(nn.Module):
    """The keys and shapes of the published asset."""

    def __init__(self) -> None:
        super().__init__()
        self.flame_model = _Table({
            "v_template": (VERTICES, 3), "shapedirs": (VERTICES, 3, IDENTITY + EXPRESSION),
            "posedirs": (VERTICES, 3, 36), "J_regressor": (5, VERTICES),
            "weights": (VERTICES, 5), "kintree_table": (2, 5), "f": (FACES, 3),
        })  # fmt: skip
        self.lmk_embeddings = _Table({
            "static_lmk_faces_idx": (51,), "static_lmk_bary_coords": (51, 3),
            "dynamic_lmk_faces_idx": (79, 17), "dynamic_lmk_bary_coords": (79, 17, 3),
            "full_lmk_faces_idx_with_eye": (1, LANDMARKS),
            "full_lmk_bary_coords_with_eye": (1, LANDMARKS, 3),
        })  # fmt: skip
