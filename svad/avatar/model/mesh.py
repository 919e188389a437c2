"""The avatar's mesh follows what its Gaussians have learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.media.images import to_float, to_uint8
from svad.types import Avatar, SkinnedMesh

NEAREST = 3  # Gaussians a point of the mesh takes its changes from


def following(
    mesh: SkinnedMesh,
    before: Avatar,  # N Gaussians, as the mesh was made for
    after: Avatar,  # the same Gaussians, changed
) -> SkinnedMesh:
    """The mesh moved and coloured as the Gaussians nearest to each of its points."""
    old, new = before.gaussians, after.gaussians
    means = old.means.numpy(force=True)
    count = min(NEAREST, len(means))
    near = np.reshape(cKDTree(means).query(mesh.vertices, k=count)[1], (-1, count)).astype(int)
    colors = (new.colors - old.colors).numpy(force=True)[near].mean(1)
    moved = (new.means - old.means).numpy(force=True)[near].mean(1)
    return replace(
        mesh,
        vertices=(mesh.vertices + moved).astype(np.float32),
        colors=to_uint8(to_float(mesh.colors) + colors),
    )
