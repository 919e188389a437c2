"""FLAME's own pickles become the asset; whatever else a pickle asks for is refused and not run."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse

from svad.body.flame import load_flame
from svad.weights.convert import read_checkpoint
from svad.weights.errors import UnsafeFile
from svad.weights.flame_convert import convert_flame, main
from svad.weights.restricted import Bag, dense, read_objects
from tests.identity.synth_flame import synth_flame


@pytest.fixture
def chumpy(monkeypatch: pytest.MonkeyPatch) -> type:
    """A class that pickles as chumpy's arrays do; the package itself is not needed."""
    package, module = ModuleType("chumpy"), ModuleType("chumpy.ch")

    class Ch:
        def __init__(self, x: np.ndarray) -> None:
            self.x = x

    Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
    module.Ch = Ch
    monkeypatch.setitem(sys.modules, "chumpy", package)
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    return Ch


@pytest.fixture
def asset() -> dict[str, torch.Tensor]:
    """The made-up head, with an eyeball of its own for each eye."""
    asset = synth_flame(1)
    for joint, rows in ((3, slice(100, 140)), (4, slice(200, 240))):
        asset["flame_model.weights"][rows] = torch.eye(5)[joint]
    return asset


def files(folder: Path, asset: dict[str, torch.Tensor], chumpy: type, protocol: int) -> list[Path]:
    """The three files as the FLAME site has them."""
    part = {k.split(".")[1]: v.numpy() for k, v in asset.items()}
    kinds = {"v_template": chumpy, "shapedirs": chumpy, "J_regressor": sparse.csc_matrix}
    model = {k.split(".")[1]: k for k in asset if k.startswith("flame_model")}
    model = {k: kinds.get(k, np.array)(part[k].astype(float)) for k in model}
    model |= {"kintree_table": part["kintree_table"].astype(np.uint32), "bs_type": "lrotmin"}
    model |= {"f": part["f"].astype(np.uint32)}
    paths = [folder / name for name in ("generic_model.pkl", "static.pkl", "dynamic.npy")]
    paths[0].write_bytes(pickle.dumps(model, protocol))
    tables = {
        kind: {"lmk_face_idx": part[f"{kind}_lmk_faces_idx"],
               "lmk_b_coords": part[f"{kind}_lmk_bary_coords"]}
        for kind in ("static", "dynamic")
    }  # fmt: skip
    paths[1].write_bytes(pickle.dumps(tables["static"], protocol))
    with open(paths[2], "wb") as file:  # an array of one object, as numpy writes it
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|O", "fortran_order": False, "shape": ()}
        )
        holder = np.empty((), object)
        holder[()] = tables["dynamic"]
        pickle.dump(holder, file, protocol)
    return paths


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_the_files_become_the_asset(
    tmp_path: Path, asset: dict[str, torch.Tensor], chumpy: type, protocol: int
) -> None:
    model, static, dynamic = files(tmp_path, asset, chumpy, protocol)
    target = tmp_path / "FLAME_with_eye.safetensors"
    convert_flame(model, target, static, dynamic)
    read = read_checkpoint(target)
    assert set(read) == set(asset)
    for key, value in asset.items():
        if "full_lmk" not in key:
            assert torch.equal(read[key], value), key
    flame = load_flame(target)
    eyes = flame.landmarks(flame.template)[68:]
    for joint, eye in zip((3, 4), eyes, strict=True):
        ball = flame.template[flame.weights[:, joint] > 0.5]
        assert torch.equal(eye, ball[ball[:, 2].argmax()])
    assert torch.equal(flame.landmark_ids[17:68], flame.faces[read_table(read)])


def read_table(read: dict[str, torch.Tensor]) -> torch.Tensor:
    return read["lmk_embeddings.static_lmk_faces_idx"]


class Call:
    """Asks for a call when it is read."""

    def __init__(self, function: Any, *values: Any) -> None:
        self.function, self.values = function, values

    def __reduce__(self) -> tuple:
        return self.function, self.values


def refused(content: bytes, words: str = "could run code") -> None:
    with pytest.raises(UnsafeFile, match=words):
        read_objects(io.BytesIO(content), "a.pkl")


@pytest.mark.parametrize("protocol", range(6))
def test_code_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "trace"
    calls = (
        *(Call(os.system, f"touch {trace}"), Call(Path.touch, trace), Call(open, str(trace), "w")),
        *(Call(subprocess.call, ["touch", str(trace)]), Call(exec, f"open({str(trace)!r}, 'w')")),
        *(Call(np.load, str(trace)), Call(__import__, "antigravity")),
        *(Call(np.fromfile, str(trace)), Call(pickle.loads, b""), Call(np.ufunc)),
    )
    for call in calls:
        for value in (call, {"v_template": call}, [np.zeros(2), call]):
            refused(pickle.dumps(value, protocol))
    assert not trace.exists()


def named(module: str, name: str, arguments: bytes) -> bytes:
    """A hand-made pickle that calls `module.name`."""
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n" + arguments + b"R."


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("numpy", "load"), ("numpy.core.multiarray", "fromfile"), ("numpy.lib.npyio", "load"),
        ("numpy.testing._private.utils", "runstring"), ("numpy", "ndarray.tofile"),
        ("scipy", "sparse.np.load"), ("builtins", "eval"), ("copyreg", "__newobj__"),
        ("svad.weights.restricted", "_bag"), ("scipyx.sparse", "csc_matrix"),
    ],
)  # fmt: skip
def test_only_the_listed_names_are_found(module: str, name: str) -> None:
    refused(named(module, name, b"(S'x'\ntp0\n"))


@pytest.mark.parametrize(
    "content",
    [
        b"ccopy_reg\n_reconstructor\n(c__builtin__\nobject\nc__builtin__\nobject\nNtR.",
        *(b"cnumpy\ndtype\n(S'%s'\nI00\nI01\ntR(I3\nS'!'\ntb." % k for k in (b"M8", b"i4")),
        b"cnumpy.core.multiarray\n_reconstruct\n(c__builtin__\nobject\n(I0\ntS'b'\ntR.",
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'O'\ntRS'x'\ntR.",
        b"c_codecs\nencode\n(S'x'\nS'rot13'\ntR.",
        b"c_codecs\nencode\n(N}S'__defaults__'\nNstb.",
        b"P0\n.",
    ],
)
def test_what_arrays_are_made_of_cannot_be_bent(content: bytes) -> None:
    refused(content)


def test_an_array_must_fit_its_content() -> None:
    good = pickle.dumps(np.arange(7, dtype=np.int32), 0)
    assert (read_objects(io.BytesIO(good), "a.pkl") == np.arange(7)).all()
    assert b"I7\n" in good
    for length in (b"I8\n", b"I-7\n", b"I99999999999\n", b"I6\n"):
        refused(good.replace(b"I7\n", length))


def test_scipy_and_chumpy_are_only_looked_into(chumpy: type) -> None:
    values = {"a": chumpy(np.ones(3)), "b": sparse.csr_matrix(np.eye(3))}
    read = read_objects(io.BytesIO(pickle.dumps(values, 2)), "a.pkl")
    assert all(isinstance(value, Bag) for value in read.values())
    assert dense(read["a"], "a").tolist() == [1, 1, 1]
    assert (dense(read["b"], "b") == np.eye(3)).all()


@pytest.mark.parametrize("key", ["indices", "indptr"])
def test_a_sparse_matrix_cannot_point_outside(key: str) -> None:
    matrix = sparse.csc_matrix(np.eye(4))
    setattr(matrix, key, getattr(matrix, key) + 1000)
    read = read_objects(io.BytesIO(pickle.dumps(matrix, 2)), "a.pkl")
    with pytest.raises(UnsafeFile, match="damaged sparse matrix"):
        dense(read, "a.pkl")


@pytest.mark.parametrize("content", [b"", b"\x80\x02", b"garbage", b"(" * 9, b"\x80\x04\x95"])
def test_a_damaged_pickle_is_said_to_be_one(content: bytes) -> None:
    refused(content, "damaged")


def test_the_command_says_what_is_wrong(
    tmp_path: Path, asset: dict[str, torch.Tensor], chumpy: type, capsys: pytest.CaptureFixture
) -> None:
    model, static, dynamic = files(tmp_path, asset, chumpy, 2)
    target = tmp_path / "out.safetensors"
    options = [str(target), "--static", str(static), "--dynamic", str(dynamic)]
    assert main([str(model), *options]) == 0 and target.is_file()
    target.unlink()
    assert main([str(static), *options]) == 1 and "lacks v_template" in capsys.readouterr().err
    assert main([str(tmp_path / "absent.pkl"), *options]) == 1 and not target.exists()
