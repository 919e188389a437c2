"""The container of glTF 2.0: document, buffers and accessors, all within one file.

Nothing is fetched: buffers are the binary part of a .glb or base64 in the document.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from svad.motion.readers.files import (
    ABSURD,
    LARGEST,
    MotionError,
    contents,
    require_numbers,
)

MAGIC, JSON_CHUNK, BINARY_CHUNK = b"glTF", 0x4E4F534A, 0x004E4942
KINDS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
DATA = "base64,"
SPARSE = ("indices", "values")
MOST = LARGEST // 8  # numbers of an accessor


class GltfFile:
    """A document of glTF with the numbers it refers to."""

    def __init__(self, path: Path) -> None:
        """Reads .glb and .gltf; raises `MotionError`."""
        self.name = path.name
        data = contents(path)
        self._binary = b""
        text = data
        if data[:4] == MAGIC:
            text, self._binary = self._chunks(data)
        try:
            document: Any = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self.broken("it is neither JSON nor binary glTF") from error
        if not isinstance(document, dict):
            raise self.broken("it holds no document")
        self.document: dict[str, Any] = document
        self._buffers: dict[int, bytes] = {}

    def broken(self, why: str) -> MotionError:
        """The error for a file that breaks the format."""
        return MotionError(f"{self.name} cannot be read as glTF: {why}. Save it again as .glb.")

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The objects in a list of the document, none where there is no such list."""
        found = self.document.get(name, [])
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise self.broken(f"its {name} are no list of objects")
        return found

    def row(self, name: str, index: Any) -> dict[str, Any]:
        """One object of a list."""
        rows = self.rows(name)
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(rows):
            raise self.broken(f"it refers to one of its {name} that is not there")
        return rows[index]

    def accessor(self, index: Any) -> np.ndarray:  # [N, C] float64
        """The numbers of an accessor; whole numbers become shares of one (section 3.11)."""
        told = self.row("accessors", index)
        kind = KINDS.get(self._whole(told, "componentType"))
        width = WIDTHS.get(str(told.get("type")))
        count, sparse = self._whole(told, "count"), told.get("sparse")
        if kind is None or width is None or ("bufferView" not in told and sparse is None):
            raise self._packed()
        if not 0 < count <= MOST // width:
            raise self.broken("it is shorter than it says")
        if "bufferView" in told:
            values = self._values(told, kind, width, count)
        else:  # all but a few are zero
            values = np.zeros((count, width))
        if sparse is not None:
            self._replace(values, sparse, kind)
        if kind[1] != "f":
            largest = np.iinfo(np.dtype(kind)).max
            values = np.maximum(values / largest, -1.0)
        require_numbers(values)
        return values

    def _values(self, place: dict[str, Any], kind: str, width: int, count: int) -> np.ndarray:
        """Numbers [count, width] at a place: a view, and where they begin in it."""
        view = self.row("bufferViews", place.get("bufferView"))
        if any("compression" in str(name) for name in view.get("extensions") or ()):
            raise self._packed()
        size = np.dtype(kind).itemsize * width
        start = self._whole(view, "byteOffset") + self._whole(place, "byteOffset")
        stride = self._whole(view, "byteStride") or size
        data = self._buffer(view.get("buffer"))
        last = start + stride * (count - 1) + size
        if stride < size or last > len(data):
            raise self.broken("it is shorter than it says")
        raw = np.frombuffer(data, np.uint8, last - start, start)
        rows = np.lib.stride_tricks.as_strided(raw, (count, size), (stride, 1))
        return np.ascontiguousarray(rows).view(kind).astype(np.float64)

    def _replace(self, values: np.ndarray, told: Any, kind: str) -> None:
        """Puts the numbers of a sparse accessor in their rows (section 3.6.2.3)."""
        rows, given = (told.get(name) if isinstance(told, dict) else None for name in SPARSE)
        if not isinstance(rows, dict) or not isinstance(given, dict):
            raise self._packed()
        count, whole = self._whole(told, "count"), KINDS.get(self._whole(rows, "componentType"))
        if whole is None or whole[1] != "u" or not 0 < count <= len(values):
            raise self._packed()
        index = self._values(rows, whole, 1, count)[:, 0].astype(np.int64)
        if index.max() >= len(values):
            raise self.broken("it is shorter than it says")
        values[index] = self._values(given, kind, values.shape[1], count)

    def _packed(self) -> MotionError:
        return MotionError(
            f"The animation in {self.name} is packed in a way that is not read here. Save it again "
            "as .glb, without compression."
        )

    def _whole(self, told: dict[str, Any], name: str) -> int:
        value = told.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**40:
            raise self.broken(f"its {name} is no count")
        return value

    def _buffer(self, index: Any) -> bytes:
        told = self.row("buffers", index)
        if index in self._buffers:
            return self._buffers[index]
        uri = told.get("uri")
        if uri is None:
            data = self._binary
        elif isinstance(uri, str) and uri.startswith("data:") and DATA in uri[:100]:
            try:
                data = base64.b64decode(uri.partition(DATA)[2], validate=True)
            except (binascii.Error, ValueError) as error:
                raise self.broken("its base64 is damaged") from error
        else:
            raise MotionError(
                f"{self.name} keeps its numbers in another file ({str(uri)[:60]}), which is not "
                "opened. Save both as one .glb."
            )
        self._buffers[index] = data
        return data

    def _chunks(self, data: bytes) -> tuple[bytes, bytes]:
        found: dict[int, bytes] = {}
        place = 12
        while place + 8 <= len(data):
            length, kind = struct.unpack_from("<II", data, place)
            if place + 8 + length > len(data):
                raise self.broken("it was cut short")
            found.setdefault(kind, data[place + 8 : place + 8 + length])
            place += 8 + length
        if data[4:8] != struct.pack("<I", 2) or JSON_CHUNK not in found:
            raise self.broken("it is not of version 2")
        return found[JSON_CHUNK], found.get(BINARY_CHUNK, b"")


def vector(
    told: dict[str, Any],
    name: str,
    default: tuple[float, ...],
) -> np.ndarray:  # [C]
    """Numbers of a node; the default where they are missing or no numbers."""
    value = told.get(name)
    if not isinstance(value, list) or len(value) != len(default):
        return np.array(default)
    numbers = [float(v) for v in value if isinstance(v, int | float) and abs(v) < ABSURD]
    return np.array(numbers if len(numbers) == len(default) else default)
