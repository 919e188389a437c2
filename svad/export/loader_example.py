"""Reads avatar.safetensors, bends the left elbow, says what moved (needs numpy, safetensors)."""

import json
from pathlib import Path

import numpy as np
from safetensors import safe_open


def main(path: Path) -> None:
    """Bends the left elbow by a right angle and tells what moved."""
    with safe_open(path, "numpy") as file:
        about = json.loads(file.metadata()["avatar"])
        data = {name: file.get_tensor(name) for name in file.keys()}
    points, joints = data["means"], data["joints"]
    turn, place = np.tile(np.eye(3), (len(joints), 1, 1)), joints.copy()
    elbow = about["joint_names"].index("left_elbow")
    turn[elbow] = [[0, 0, -1], [0, 1, 0], [1, 0, 0]]  # -90 degrees about y: the hand comes forward
    for j, parent in enumerate(data["parents"]):  # parents come before children
        if parent >= 0:
            place[j] = place[parent] + turn[parent] @ (joints[j] - joints[parent])
            turn[j] = turn[parent] @ turn[j]
    shift = place - np.einsum("jab,jb->ja", turn, joints)
    posed = np.zeros_like(points)
    for j, weight in zip(data["joint_ids"].T, data["joint_weights"].T, strict=True):
        posed += weight[:, None] * (np.einsum("nab,nb->na", turn[j], points) + shift[j])
    way = np.linalg.norm(posed - points, axis=1)
    print(f"{about['format']} {about['version']}: {len(points)} Gaussians, {len(joints)} joints,")
    print(f"{(way > 0.01).sum()} of them moved, the farthest by {way.max():.2f} m")


if __name__ == "__main__":
    main(Path(__file__).with_name("avatar.safetensors"))
