"""Reads checkpoints without running anything in them, and turns pickles into safetensors."""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from svad.core.files import make_folder, writing
from svad.weights.errors import NoRoom, UnsafeFile

if TYPE_CHECKING:
    from torch import Tensor

# What `torch.load` raises for forbidden content and for damaged bytes; it does not tell them apart.
DAMAGED = (
    *(UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, TypeError),
    *(AttributeError, AssertionError, zipfile.BadZipFile, struct.error),
)
PLAIN = (str, int, float, bool, type(None))


def read_checkpoint(
    path: Path,  # .safetensors, or a PyTorch checkpoint
    root: str = "",  # key below which the tensors lie; "" = the whole file
    *,
    numpy_scalars: bool = False,  # whether numbers of numpy may stand beside the tensors
) -> dict[str, Tensor]:
    """The tensors of a file on the CPU, by name; nested names are joined with dots.

    Raises `UnsafeFile` for anything but tensors and plain values, and for damaged files.
    """
    return _read(path, root, numpy_scalars)[0]


def convert(source: Path, target: Path, root: str = "") -> None:
    """Writes the tensors of a PyTorch checkpoint as safetensors, whole or not at all.

    Plain values beside the tensors go to the file's metadata, as JSON under "values". Raises
    `UnsafeFile`, `NoRoom`, `OutputError`.
    """
    from safetensors.torch import save_file

    tensors, values = _read(source, root)
    need = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    make_folder(target.parent)
    require_room(target.parent, need)
    metadata = {"format": "pt"} | ({"values": json.dumps(values)} if values else {})
    with writing(target) as temporary:
        save_file(_separate(tensors), temporary, metadata)


def require_room(folder: Path, need: int) -> None:
    """Raises `NoRoom` unless `need` bytes are free where `folder` is, with a little to spare."""
    free = shutil.disk_usage(folder).free
    if free < need + SPARE:
        raise NoRoom(
            f"{in_words(need + SPARE)} of free disk are needed in {folder}, {in_words(free)} are "
            "there. Free some space, or set SVAD_CACHE to a folder on a larger disk."
        )


SPARE = 100_000_000  # bytes that are left alone


def in_words(size: int | None) -> str:
    """A number of bytes for a person."""
    if size is None:
        return "?"
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return (
                f"{size / scale:.2f} {unit}" if size < 10 * scale else f"{size / scale:.0f} {unit}"
            )
    return f"{size} B"


def _numpy_scalars() -> list[Any]:
    """What single numbers of numpy are pickled with; it makes numbers and nothing else."""
    import numpy as np

    make = np.dtype(float).type(0).__reduce__()[0]
    kinds = {type(np.dtype(letter)) for letter in "?bhilqBHILQefd"}
    names = (f"numpy.{core}.multiarray.scalar" for core in ("core", "_core"))  # numpy 1, numpy 2
    return [np.dtype, *kinds, *((make, name) for name in names)]


def _read(
    path: Path, root: str, numpy_scalars: bool = False
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    import torch
    from safetensors import SafetensorError, safe_open

    if path.suffix == ".safetensors":
        try:
            with safe_open(str(path), framework="pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}, {}
        except SafetensorError as error:
            raise UnsafeFile(f"{path} is damaged ({error}). Fetch it again.") from error
    try:
        with torch.serialization.safe_globals(_numpy_scalars() if numpy_scalars else []):
            tree = torch.load(
                path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
            )
    except DAMAGED as error:
        reason = str(error).partition("\n")[0][:200]
        raise UnsafeFile(
            f"{path} was not loaded: it is damaged, or holds Python objects beside tensors, which "
            f"could run code ({reason}). Use the file of the source named in the manifest, or "
            "convert it to safetensors yourself and point to that."
        ) from error
    if root:
        if not isinstance(tree, dict) or root not in tree:
            raise UnsafeFile(f"{path} has no part named {root}; is it the right file?")
        tree = tree[root]
    tensors: dict[str, Tensor] = {}
    values: dict[str, Any] = {}
    _flatten(tree, "", tensors, values, path)
    if not tensors:
        raise UnsafeFile(f"{path} holds no tensors; is it the right file?")
    return tensors, values


def _flatten(tree: Any, name: str, tensors: dict, values: dict, path: Path) -> None:
    import torch

    if isinstance(tree, torch.Tensor):
        tensors[name] = tree.detach()
    elif isinstance(tree, PLAIN):
        values[name] = tree
    elif isinstance(tree, dict | list | tuple):
        pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for key, value in pairs:
            _flatten(value, f"{name}.{key}" if name else str(key), tensors, values, path)
    elif isinstance(tree, torch.dtype | torch.device):
        values[name] = str(tree)
    else:
        raise UnsafeFile(f"{path} holds a {type(tree).__name__} at {name}; only tensors are read.")


def _separate(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tied tensors get memory of their own, which the file format asks for."""
    seen: set[int] = set()
    separate = {}
    for name, tensor in tensors.items():
        place = tensor.untyped_storage().data_ptr()
        separate[name] = tensor.clone() if place in seen else tensor
        separate[name] = separate[name].contiguous()
        seen.add(place)
    return separate
