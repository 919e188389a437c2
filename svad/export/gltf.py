"""Builds binary glTF 2.0 files: accessors, sparse accessors and the two chunks of a .glb."""

from __future__ import annotations

import json
import struct

import numpy as np

COMPONENTS = {np.uint8: 5121, np.uint16: 5123, np.uint32: 5125, np.float32: 5126}
TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
VERTICES, INDICES = 34962, 34963  # targets of a buffer view
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942


class GltfBuilder:
    """Collects arrays into one buffer (glTF 2.0 section 3.6) and hands out accessor numbers."""

    def __init__(self) -> None:
        self.views: list[dict] = []
        self.accessors: list[dict] = []
        self._parts: list[bytes] = []
        self._size = 0

    def _view(self, array: np.ndarray, target: int | None = None) -> int:
        data = np.ascontiguousarray(array).tobytes()
        view = {"buffer": 0, "byteOffset": self._size, "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        data += b"\0" * (-len(data) % 4)
        self._parts.append(data)
        self._size += len(data)
        self.views.append(view)
        return len(self.views) - 1

    def raw(self, data: bytes) -> int:
        """Adds bytes as they are, such as a picture; returns the number of their buffer view."""
        return self._view(np.frombuffer(data, np.uint8))

    def add(
        self,
        array: np.ndarray,  # [N] or [N, C], or [N, 4, 4] (column-major); one of COMPONENTS
        *,
        target: int | None = None,
        normalized: bool = False,
        bounds: bool = False,  # state min and max (needed for positions and key times)
    ) -> int:
        """Adds one accessor. A vertex row must be a multiple of 4 bytes long."""
        flat = array.reshape(len(array), -1)
        if target == VERTICES and flat.strides[0] % 4:
            raise ValueError(f"a vertex row of {flat.strides[0]} bytes is not a multiple of 4")
        accessor = {
            "bufferView": self._view(flat, target),
            "componentType": COMPONENTS[flat.dtype.type],
            "count": len(flat),
            "type": TYPES[flat.shape[1]],
        }
        if normalized:
            accessor["normalized"] = True
        if bounds:
            accessor |= {"min": flat.min(0).tolist(), "max": flat.max(0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def add_sparse(
        self,
        rows: np.ndarray,  # [K] ascending positions, K >= 1
        values: np.ndarray,  # [K, 3] float32
        count: int,  # of all rows; those not listed are zero
    ) -> int:
        """Adds a VEC3 accessor that stores only `rows` (glTF 2.0 section 3.6.2.3)."""
        low, high = values.min(0), values.max(0)
        if len(rows) < count:
            low, high = np.minimum(low, 0), np.maximum(high, 0)
        small = np.uint16 if count <= 65536 else np.uint32
        self.accessors.append(
            {
                "componentType": COMPONENTS[np.float32],
                "count": count,
                "type": "VEC3",
                "min": low.tolist(),
                "max": high.tolist(),
                "sparse": {
                    "count": len(rows),
                    "indices": {
                        "bufferView": self._view(rows.astype(small)),
                        "componentType": COMPONENTS[small],
                    },
                    "values": {"bufferView": self._view(values.astype(np.float32))},
                },
            }
        )
        return len(self.accessors) - 1

    def pack(self, document: dict) -> bytes:
        """The .glb bytes of `document` with this builder's buffer, views and accessors."""
        document = document | {
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": self._size}],
        }
        text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        binary = b"".join(self._parts)
        total = 12 + 8 + len(text) + 8 + len(binary)
        return b"".join(
            [
                struct.pack("<4sII", b"glTF", 2, total),
                struct.pack("<II", len(text), JSON_CHUNK),
                text,
                struct.pack("<II", len(binary), BINARY_CHUNK),
                binary,
            ]
        )


def unpack(data: bytes) -> tuple[dict, bytes]:
    """The document and the buffer of .glb bytes; the inverse of `GltfBuilder.pack`."""
    magic, version, total = struct.unpack_from("<4sII", data)
    if magic != b"glTF" or version != 2 or total != len(data):
        raise ValueError("not a binary glTF 2.0 file, or cut short")
    length, kind = struct.unpack_from("<II", data, 12)
    if kind != JSON_CHUNK:
        raise ValueError("the first chunk is not JSON")
    document = json.loads(data[20 : 20 + length])
    size, kind = struct.unpack_from("<II", data, 20 + length)
    if kind != BINARY_CHUNK:
        raise ValueError("the second chunk is not binary")
    return document, data[28 + length : 28 + length + size]


def read_accessor(document: dict, buffer: bytes, number: int) -> np.ndarray:  # [count, width]
    """The values of an accessor; rows that a sparse one does not store are zero.

    Raises ValueError where the buffer is shorter than it says.
    """
    accessor = document["accessors"][number]
    width, kind = _WIDTHS[accessor["type"]], _KINDS[accessor["componentType"]]
    count = accessor["count"]
    if "bufferView" in accessor:
        return _values(document, buffer, accessor, kind, count * width).reshape(-1, width).copy()
    sparse, out = accessor["sparse"], np.zeros((count, width), kind)
    index = sparse["indices"]
    rows = _values(document, buffer, index, _KINDS[index["componentType"]], sparse["count"])
    stored = _values(document, buffer, sparse["values"], kind, sparse["count"] * width)
    out[rows] = stored.reshape(-1, width)
    return out


_WIDTHS = {name: width for width, name in TYPES.items()}
_KINDS = {number: kind for kind, number in COMPONENTS.items()}


def _values(document: dict, buffer: bytes, source: dict, kind: type, count: int) -> np.ndarray:
    view = document["bufferViews"][source["bufferView"]]
    start = view.get("byteOffset", 0) + source.get("byteOffset", 0)
    return np.frombuffer(buffer, np.dtype(kind).newbyteorder("<"), count, start)
