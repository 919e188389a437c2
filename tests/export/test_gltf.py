"""The .glb container: alignment, bounds and sparse accessors."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from svad.export.gltf import VERTICES, GltfBuilder, unpack


def test_chunks_are_aligned_and_read_back() -> None:
    builder = GltfBuilder()
    builder.add(np.arange(7, dtype=np.uint16))  # 14 bytes: padded to 16
    points = np.arange(12, dtype=np.float32).reshape(4, 3)
    builder.add(points, target=VERTICES, bounds=True)
    data = builder.pack({"asset": {"version": "2.0"}, "note": "näher"})
    assert len(data) % 4 == 0 and struct.unpack_from("<I", data, 8)[0] == len(data)
    assert struct.unpack_from("<I", data, 12)[0] % 4 == 0
    document, buffer = unpack(data)
    assert document["note"] == "näher"
    assert document["accessors"][1]["max"] == [9, 10, 11]
    view = document["bufferViews"][1]
    assert view["byteOffset"] == 16
    stored = np.frombuffer(buffer, np.float32, 12, view["byteOffset"]).reshape(4, 3)
    assert np.array_equal(stored, points)


def test_sparse_bounds_include_the_zeros() -> None:
    builder = GltfBuilder()
    values = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    builder.add_sparse(np.array([2, 5]), values, 10)
    builder.add_sparse(np.array([0, 1]), values, 2)
    some, all_rows = builder.accessors
    assert some["min"] == [0, 0, 0] and some["max"] == [4, 5, 6]
    assert all_rows["min"] == [1, 2, 3]
    assert "bufferView" not in some and some["sparse"]["count"] == 2


def test_odd_vertex_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        GltfBuilder().add(np.zeros((4, 3), np.uint8), target=VERTICES)


def test_other_files_are_refused() -> None:
    data = GltfBuilder().pack({"asset": {"version": "2.0"}})
    for broken in (b"ply\n" + data[4:], data[:-1]):
        with pytest.raises(ValueError, match="not a binary glTF"):
            unpack(broken)
