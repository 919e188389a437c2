"""Reads old research pickles without running anything in them.

Such files hold numpy arrays, scipy.sparse matrices and chumpy arrays. The unpickler knows how to
make numpy arrays; everything scipy or chumpy becomes a bag of attributes that is looked into, and
any other name is refused before it is looked up.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from svad.weights.convert import DAMAGED
from svad.weights.errors import UnsafeFile

ENCODING = "latin1"  # of byte strings written by Python 2
LARGEST = 1 << 31  # bytes of one array
STUBS = ("chumpy.", "scipy.sparse.")  # modules whose classes become bags
MULTIARRAY = {f"numpy.{core}.multiarray" for core in ("core", "_core")}
ByteOrder = Literal["<", ">", "|", "="]
DTYPE_LETTERS = set("biufc")  # kinds of numbers; nothing that holds or calls objects


class Bag:
    """Stands for an object of a library: its class's name and its attributes."""

    kind = ""

    values: dict[str, Any]

    def __new__(cls, *_: Any) -> Bag:  # pickles make objects without calling `__init__`
        bag = super().__new__(cls)
        bag.values = {}
        return bag

    def __setstate__(self, state: Any) -> None:
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:
            if isinstance(part, dict):
                self.values |= part


def read_objects(file: IO[bytes], name: str) -> Any:
    """What a pickle holds: plain values, numpy arrays and bags. Raises `UnsafeFile`."""
    try:
        return _Reader(file, encoding=ENCODING).load()
    except _Refused as error:
        raise UnsafeFile(
            f"{name} was not read: it asks for {error}, which is no array and could run code. "
            "Use the unchanged file of its publisher."
        ) from error
    except (*DAMAGED, OverflowError, MemoryError, ImportError, RecursionError) as error:
        raise UnsafeFile(f"{name} is damaged ({str(error)[:200]}). Fetch it again.") from error


def read_object_array(path: Path) -> Any:
    """The one Python object of a `.npy` file, read as `read_objects` does."""
    from numpy.lib import format as npy

    with open(path, "rb") as file:
        try:
            version = npy.read_magic(file)
            header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, kind = header(file)
        except ValueError as error:
            raise UnsafeFile(f"{path} is no .npy file ({error}).") from error
        if not kind.hasobject or shape != ():
            raise UnsafeFile(f"{path} holds an array of numbers; one object was expected.")
        return read_objects(file, str(path)).item()


def dense(value: Any, name: str) -> np.ndarray:
    """Numbers of an array, a chumpy array or a sparse matrix. Raises `UnsafeFile`."""
    if isinstance(value, Bag) and value.kind.startswith("chumpy."):
        value = value.values.get("x")  # what a chumpy variable holds
    if isinstance(value, Bag):
        value = _sparse(value, name)
    array = np.asarray(value)
    if array.dtype.kind not in DTYPE_LETTERS:
        raise UnsafeFile(f"{name} holds no numbers; is it the right file?")
    return array


class _Refused(Exception):
    """A pickle asks for something that is not on the list."""


class _Reader(pickle.Unpickler):
    """An unpickler that finds nothing but arrays and bags."""

    def find_class(self, module: str, name: str) -> Any:
        if any(module.startswith(stub) for stub in STUBS):
            return type("Bag", (Bag,), {"kind": f"{module}.{name}"})
        known: dict[tuple[str, str], Any] = {
            ("numpy", "ndarray"): _Array,
            ("numpy", "dtype"): _Kind,
            ("copy_reg", "_reconstructor"): _Maker(_bag),
            ("copyreg", "_reconstructor"): _Maker(_bag),
            ("__builtin__", "object"): object,
            ("builtins", "object"): object,
            ("_codecs", "encode"): _Maker(_encode),
        }
        if module in MULTIARRAY:
            makers = {"_reconstruct": _Maker(_reconstruct), "scalar": _Maker(_scalar)}
            known |= {(module, key): maker for key, maker in makers.items()}
        if (module, name) not in known:
            raise _Refused(f"{module}.{name}")
        return known[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise _Refused("an object outside of the file")


class _Maker:
    """A function that a pickle may call and not change."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)

    def __setstate__(self, _: Any) -> None:
        raise _Refused("a change of its reader")


class _Kind:
    """A kind of number; of what a pickle says about it only the byte order is taken."""

    def __init__(self, letters: Any = None, *_: Any) -> None:
        known = isinstance(letters, str) and len(letters) <= 4
        self.letters = letters if known and letters[:1] in (*DTYPE_LETTERS, "O", "S", "U") else None
        self.order: ByteOrder = "="

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise _Refused("an unknown kind of number")
        self.order = state[1]

    def dtype(self) -> np.dtype:
        if self.letters is None:
            raise _Refused("an unknown kind of number")
        return np.dtype(self.letters).newbyteorder(self.order)


class _Array(np.ndarray):
    """An array that takes its content only in the form that arrays are pickled in."""

    def __new__(cls, *_: Any) -> _Array:
        return np.ndarray.__new__(cls, (0,), np.uint8)

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], _Kind):
            raise _Refused("an array of an unknown form")
        _, shape, kind, columns_first, data = state
        kind = kind.dtype()
        if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
            raise _Refused("an array of an unknown form")
        data = data.encode(ENCODING) if isinstance(data, str) else data
        unit = 1 if kind.hasobject else kind.itemsize
        if not isinstance(data, list if kind.hasobject else bytes):
            raise _Refused("an array that does not fit its content")
        if len(data) != unit * math.prod(shape) or len(data) > LARGEST:
            raise _Refused("an array that does not fit its content")
        super().__setstate__((1, shape, kind, bool(columns_first), data))


def _reconstruct(kind: Any, *_: Any) -> _Array:
    if kind is not _Array:
        raise _Refused("an array of another class")
    return _Array()


def _scalar(kind: Any, data: Any = b"") -> Any:
    data = data.encode(ENCODING) if isinstance(data, str) else data
    number = kind.dtype() if isinstance(kind, _Kind) else np.dtype("O")
    if number.kind not in DTYPE_LETTERS or not isinstance(data, bytes):
        raise _Refused("an unknown kind of number")
    return np.frombuffer(data, number, count=1)[0]


def _bag(kind: Any, *_: Any) -> Bag:
    if not (isinstance(kind, type) and issubclass(kind, Bag)):
        raise _Refused("an object of another class")
    return kind()


def _encode(text: Any, encoding: Any = "") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise _Refused("an unknown encoding")
    return text.encode(ENCODING)


def _sparse(bag: Bag, name: str) -> np.ndarray:
    """A compressed sparse matrix, its indices checked before they are used."""
    from scipy import sparse

    kinds: dict[str, Callable[..., Any]] = {
        kind: getattr(sparse, kind) for kind in ("csc_matrix", "csr_matrix")
    }
    kind, values = bag.kind.rpartition(".")[2], bag.values
    keys = ("data", "indices", "indptr")
    shape = values.get("_shape", values.get("shape"))
    if kind not in kinds or not isinstance(shape, tuple) or not set(keys) <= set(values):
        raise UnsafeFile(f"{name} holds a {bag.kind}; a csc_matrix or csr_matrix was expected.")
    parts = tuple(np.array(dense(values[key], name)) for key in keys)
    try:
        matrix = kinds[kind](parts, shape=tuple(int(n) for n in shape))
        matrix.check_format(full_check=True)
    except (ValueError, TypeError) as error:
        raise UnsafeFile(f"{name} holds a damaged sparse matrix ({error}).") from error
    return matrix.toarray()
