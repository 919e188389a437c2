"""Small ONNX networks that stand in for DWPose's two files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the package onnx is needed to make small networks")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

SIDE = 64  # px, input of the small detector
CELLS = (SIDE // 8) ** 2 + (SIDE // 16) ** 2 + (SIDE // 32) ** 2


def write_detector(
    path: Path, channel: int = 0, side: int | str = SIDE, cells: int = CELLS
) -> None:
    """A detector whose cells of stride 8 see a person where `channel` of the input is bright.

    The box spans four cells; the other strides see nothing.
    """
    fine = (SIDE // 8) ** 2
    nodes = [
        helper.make_node("Gather", ["picture", "channel"], ["one"], axis=1),
        helper.make_node("AveragePool", ["one"], ["mean"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Div", ["mean", "white"], ["share"]),
        helper.make_node("Reshape", ["share", "flat"], ["bright"]),  # [1, fine, 1]
        helper.make_node("Concat", ["bright", "nothing"], ["seen"], axis=1),  # [1, cells, 1]
        helper.make_node("Concat", ["place", "seen", "classes"], ["boxes"], axis=2),
    ]
    place = np.zeros((1, cells, 4), np.float32)
    place[..., :2], place[..., 2:] = 0.5, np.log(4)
    classes = np.zeros((1, cells, 80), np.float32)
    classes[..., 0] = 1
    constants = {
        "channel": np.array([channel], np.int64),
        "white": np.array(255, np.float32),
        "flat": np.array([1, fine, 1], np.int64),
        "nothing": np.zeros((1, cells - fine, 1), np.float32),
        "place": place,
        "classes": classes,
    }
    _write(path, nodes, constants, (SIDE, SIDE), {"boxes": (1, cells, 85)})


def write_estimator(
    path: Path, width: int = 36, height: int = 48, points: int = 133, *, named: bool = False
) -> None:
    """A whole-body network: 67 points lie where red is brightest, the others where green is.

    Scores are the (normalised) brightness there. `named`: the file leaves its input's size open.
    """
    nodes, outputs = [], {}
    constants: dict[str, np.ndarray] = {}
    for channel, count in ((0, min(67, points)), (1, points - min(67, points))):
        constants[f"channel{channel}"] = np.array([channel], np.int64)
        one = f"one{channel}"
        nodes.append(helper.make_node("Gather", ["picture", f"channel{channel}"], [one], axis=1))
        for name, axis, side in (("x", 2, width), ("y", 3, height)):
            key = f"{name}{channel}"
            constants[f"{key}_axis"] = np.array([axis], np.int64)
            constants[f"{key}_line"] = np.array([1, 1, side], np.int64)
            constants[f"{key}_twice"] = np.array([1, 1, 2], np.float32)
            constants[f"{key}_shape"] = np.array([1, count, 2 * side], np.int64)
            nodes += [
                helper.make_node("ReduceMax", [one, f"{key}_axis"], [f"{key}_max"], keepdims=0),
                helper.make_node("Reshape", [f"{key}_max", f"{key}_line"], [f"{key}_flat"]),
                helper.make_node("Resize", [f"{key}_flat", "", f"{key}_twice"], [f"{key}_bins"]),
                helper.make_node("Expand", [f"{key}_bins", f"{key}_shape"], [key]),
            ]
    for name, side in (("x", width), ("y", height)):
        outputs[f"simcc_{name}"] = (1, points, 2 * side)
        parts = [f"{name}0", f"{name}1"]
        nodes.append(helper.make_node("Concat", parts, [f"simcc_{name}"], axis=1))
    size = ("height", "width") if named else (height, width)
    _write(path, nodes, constants, size, outputs)


def _write(
    path: Path,
    nodes: list,
    constants: dict[str, np.ndarray],
    size: tuple[int | str, int | str],  # height, width of the picture; a name = left open
    outputs: dict[str, tuple[int, ...]],
) -> None:
    def value(name: str, shape: tuple) -> object:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        nodes,
        "small",
        [value("picture", (1, 3, *size))],
        [value(name, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def dwpose_files(folder: Path) -> None:
    """Both files under the names a person's own folder has them."""
    write_detector(folder / "yolox_l.onnx")
    write_estimator(folder / "dw-ll_ucoco_384.onnx")
