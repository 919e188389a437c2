"""Turns the FLAME files of their own site into the asset this project reads.

    python -m svad.weights.flame_convert generic_model.pkl FLAME_with_eye.safetensors \\
        --static flame_static_embedding.pkl --dynamic flame_dynamic_embedding.npy

For the person who has agreed to the FLAME licence; the result may not be handed on either. The
files are Python pickles, read by `restricted`, which runs nothing in them. The tracker asks for 70
landmarks: 17 of the contour seen from the front and 51 others from the two embeddings, and the
pupils, which are the foremost vertices of the eyes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from svad.core.errors import SvadError
from svad.core.files import writing
from svad.terminal.arguments import named_path
from svad.weights.errors import UnsafeFile
from svad.weights.restricted import Bag, dense, read_object_array, read_objects

MODEL = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f")
INTEGERS = ("kintree_table", "f")
EYE_JOINTS = (3, 4)
FRONT = 0  # row of the dynamic table for a head that is not turned


def convert_flame(
    model: Path,  # generic_model.pkl, or one of the FLAME 2020 and 2023 files
    target: Path,  # .safetensors
    static: Path,  # flame_static_embedding.pkl
    dynamic: Path,  # flame_dynamic_embedding.npy
) -> None:
    """Writes the asset. Raises `UnsafeFile` and `OutputError`."""
    import torch
    from safetensors.torch import save_file

    parts = _model(model)
    tables = {
        f"lmk_embeddings.{key}": value for key, value in _tables(parts, static, dynamic).items()
    }
    arrays = {f"flame_model.{key}": value for key, value in parts.items()} | tables
    tensors = {key: torch.from_numpy(np.ascontiguousarray(a)) for key, a in arrays.items()}
    with writing(target) as temporary:
        save_file(tensors, temporary)


def _model(path: Path) -> dict[str, np.ndarray]:
    with open(path, "rb") as file:
        values = _table(read_objects(file, str(path)), MODEL, path)
    arrays = {key: dense(values[key], f"{path.name}: {key}") for key in MODEL}
    return {
        key: array.astype(np.uint32).astype(np.int32).astype(np.int64)  # the root's parent is -1
        if key in INTEGERS
        else array.astype(np.float32)
        for key, array in arrays.items()
    }


def _tables(model: dict[str, np.ndarray], static: Path, dynamic: Path) -> dict[str, np.ndarray]:
    with open(static, "rb") as file:
        still = _table(read_objects(file, str(static)), ("lmk_face_idx", "lmk_b_coords"), static)
    turned = _table(read_object_array(dynamic), ("lmk_face_idx", "lmk_b_coords"), dynamic)

    def numbers(table: dict[str, Any], key: str, path: Path, kind: type) -> np.ndarray:
        return dense(table[key], f"{path.name}: {key}").astype(kind)

    inner = numbers(still, "lmk_face_idx", static, np.int64)
    shares = numbers(still, "lmk_b_coords", static, np.float32)
    rows = numbers(turned, "lmk_face_idx", dynamic, np.int64)
    row_shares = numbers(turned, "lmk_b_coords", dynamic, np.float32)
    pupils = [_pupil(model, joint) for joint in EYE_JOINTS]
    faces = [rows[FRONT], inner, np.array([face for face, _ in pupils])]
    weights = [row_shares[FRONT], shares, np.stack([share for _, share in pupils])]
    return {
        "static_lmk_faces_idx": inner, "static_lmk_bary_coords": shares,
        "dynamic_lmk_faces_idx": rows, "dynamic_lmk_bary_coords": row_shares,
        "full_lmk_faces_idx_with_eye": np.concatenate(faces)[None],
        "full_lmk_bary_coords_with_eye": np.concatenate(weights).astype(np.float32)[None],
    }  # fmt: skip


def _pupil(model: dict[str, np.ndarray], joint: int) -> tuple[int, np.ndarray]:
    """A face at the foremost vertex of an eye, and which corner the vertex is."""
    eye = np.flatnonzero(model["weights"][:, joint] > 0.5)
    if not len(eye):
        raise UnsafeFile("The model has no eyes; the FLAME files of 2019 and later have them.")
    front = eye[model["v_template"][eye, 2].argmax()]
    face, corner = np.argwhere(model["f"] == front)[0]
    return int(face), np.eye(3, dtype=np.float32)[corner]


def _table(value: Any, keys: tuple[str, ...], path: Path) -> dict[str, Any]:
    value = value.values if isinstance(value, Bag) else value
    missing = [key for key in keys if not isinstance(value, dict) or key not in value]
    if missing:
        raise UnsafeFile(f"{path} lacks {', '.join(missing)}; is it the right file?")
    return value


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m svad.weights.flame_convert")
    parser.description = "Turns FLAME's own files into the asset this project reads."
    parser.add_argument("model", type=named_path, help="generic_model.pkl or FLAME_NEUTRAL.pkl")
    parser.add_argument(
        "target", type=named_path, help="FLAME_with_eye.safetensors, will be written"
    )
    parser.add_argument(
        "--static", type=named_path, required=True, help="flame_static_embedding.pkl"
    )
    parser.add_argument(
        "--dynamic", type=named_path, required=True, help="flame_dynamic_embedding.npy"
    )
    given = parser.parse_args(arguments)
    try:
        convert_flame(given.model, given.target, given.static, given.dynamic)
    except (SvadError, FileNotFoundError, PermissionError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Written: {given.target}. It is under the FLAME licence; do not hand it on.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
