"""Oculus visemes: the fifteen shapes of a talking mouth, as mixtures of ARKit's face shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from svad.types import SkinnedMesh


def _both(name: str, share: float) -> dict[str, float]:
    return {f"{name}Left": share, f"{name}Right": share}


# By the names of the Oculus lipsync reference; the mixtures are ours, after its pictures. Shapes
# have to stay in what a face does by itself: none opens the jaw by more than the open "aa".
VISEMES: Mapping[str, Mapping[str, float]] = {
    "viseme_sil": {},  # silence: the face at rest
    "viseme_PP": {**_both("mouthPress", 0.7), "mouthRollLower": 0.3, "mouthRollUpper": 0.3},
    "viseme_FF": {"mouthRollLower": 0.6, **_both("mouthUpperUp", 0.3), "jawOpen": 0.05},
    "viseme_TH": {"jawOpen": 0.18, **_both("mouthLowerDown", 0.2), **_both("mouthUpperUp", 0.1)},
    "viseme_DD": {"jawOpen": 0.14, **_both("mouthLowerDown", 0.3), **_both("mouthUpperUp", 0.15)},
    "viseme_kk": {"jawOpen": 0.2, **_both("mouthStretch", 0.2), **_both("mouthLowerDown", 0.1)},
    "viseme_CH": {"jawOpen": 0.1, "mouthFunnel": 0.6, "mouthPucker": 0.2},
    "viseme_SS": {"jawOpen": 0.05, **_both("mouthStretch", 0.4), **_both("mouthLowerDown", 0.25)},
    "viseme_nn": {"jawOpen": 0.12, **_both("mouthLowerDown", 0.2)},
    "viseme_RR": {"jawOpen": 0.12, "mouthFunnel": 0.4, "mouthPucker": 0.2},
    "viseme_aa": {"jawOpen": 0.6, **_both("mouthLowerDown", 0.2)},
    "viseme_E": {"jawOpen": 0.3, **_both("mouthStretch", 0.35), **_both("mouthSmile", 0.15)},
    "viseme_I": {"jawOpen": 0.15, **_both("mouthSmile", 0.4), **_both("mouthStretch", 0.2)},
    "viseme_O": {"jawOpen": 0.4, "mouthFunnel": 0.6},
    "viseme_U": {"jawOpen": 0.12, "mouthPucker": 0.8, "mouthFunnel": 0.2},
}


def with_visemes(
    mesh: SkinnedMesh,
    names: Sequence[str],  # E, of the mesh's shapes
) -> tuple[SkinnedMesh, tuple[str, ...]]:
    """The mesh with the fifteen visemes after its shapes, and all names.

    A face that lacks a shape that they are mixed of, or has none, stays as it is.
    """
    index = {name: number for number, name in enumerate(names)}
    needed = {shape for mixture in VISEMES.values() for shape in mixture}
    if not needed <= set(index) or not len(mesh.expression_ids):
        return mesh, tuple(names)
    mix = np.zeros((len(names), len(VISEMES)), np.float32)
    for column, mixture in enumerate(VISEMES.values()):
        for shape, share in mixture.items():
            mix[index[shape], column] = share
    own = mesh.expression_dirs.astype(np.float32)  # [K, E, 3]
    made = np.einsum("kec,ev->kvc", own, mix)
    dirs = np.concatenate([own, made], 1).astype(np.float16)
    return replace(mesh, expression_dirs=dirs), (*names, *VISEMES)
