"""What passes between stages as one .safetensors file each: nothing in it is ever executed."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from svad.core.errors import JobError
from svad.core.files import write_bytes

T = TypeVar("T")
FORM = 2  # grows when the classes change so that older files do not fit them


def save(value: Any, path: Path) -> None:
    """Writes a dataclass of `svad.types` (with all that is inside) to `path`, atomically.

    Arrays and tensors become entries of the file, everything else JSON in its metadata. Raises
    `OutputError` if the file cannot be written, `TypeError` for a field of another kind.
    """
    from safetensors.numpy import save as to_bytes

    arrays: dict[str, Any] = {}
    tree = {"form": FORM, "value": _pack(value, type(value).__name__, arrays)}
    write_bytes(Path(path), to_bytes(arrays, {"tree": json.dumps(tree)}))


def load(cls: type[T], path: Path) -> T:
    """Reads what `save` wrote; raises `JobError` if it is absent, damaged or of another type."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            tree = json.loads((file.metadata() or {})["tree"])
            if not isinstance(tree, dict) or tree.get("form") != FORM:
                raise JobError(
                    f"{Path(path).name} was written by another version of this program. "
                    "Make the avatar once more from its photo."
                )
            value = _unpack(tree["value"], file.get_tensor)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise JobError(
            f"{Path(path).name} is missing or damaged ({type(error).__name__}). "
            "Delete it and run the same command again."
        ) from error
    if not isinstance(value, cls):
        raise JobError(f"{Path(path).name} holds a {type(value).__name__}, not a {cls.__name__}.")
    return value


@cache
def _classes() -> dict[str, type]:
    """The only classes that are made on loading."""
    from svad import types
    from svad.geometry.camera import Camera
    from svad.splat.gaussians import Gaussians

    own = [value for value in vars(types).values() if isinstance(value, type)]
    classes: list[type] = [*own, Camera, Gaussians]
    return {c.__name__: c for c in classes if is_dataclass(c)}


def _pack(value: Any, name: str, arrays: dict[str, Any]) -> Any:
    """JSON for `value`; its arrays go to `arrays` under dotted names that start with `name`."""
    import numpy as np
    import torch

    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return {"path": str(value)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        arrays[name] = np.require(value, requirements="C")  # a clip is too large for a copy
        return {"array": name}
    if isinstance(value, torch.Tensor):
        arrays[name] = value.detach().cpu().contiguous().numpy()
        return {"tensor": name}
    if isinstance(value, tuple):
        return {"tuple": [_pack(item, f"{name}.{i}", arrays) for i, item in enumerate(value)]}
    if is_dataclass(value) and type(value).__name__ in _classes():
        parts = {f.name: getattr(value, f.name) for f in fields(value)}
        packed = {key: _pack(item, f"{name}.{key}", arrays) for key, item in parts.items()}
        return {"type": type(value).__name__, "fields": packed}
    raise TypeError(f"{name} is a {type(value).__name__}; it cannot be saved")


def _unpack(tree: Any, read: Any) -> Any:
    import torch

    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        return read(tree["array"])
    if "tensor" in tree:
        return torch.from_numpy(read(tree["tensor"]))
    if "path" in tree:
        return Path(tree["path"])
    if "tuple" in tree:
        return tuple(_unpack(item, read) for item in tree["tuple"])
    values = {key: _unpack(item, read) for key, item in tree["fields"].items()}
    return _classes()[tree["type"]](**values)
