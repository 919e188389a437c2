"""DWPose and mediapipe behind one interface."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from svad.pose.keypoints import WholeBody
from svad.subject import dwpose
from svad.subject.detect import Detection, MediapipeDetector
from svad.weights.store import Store

SIZE = (100, 80)  # height, width


def detection() -> Detection:
    """Somebody on the left half of the picture."""
    mask = np.zeros(SIZE, np.float32)
    mask[:, :40] = 1
    points = np.tile(np.float32([20, 50, 0.5]), (133, 1))
    return Detection(points, np.zeros(133, np.float32), None, mask, ())


class Base:
    """A detector that finds what it is given."""

    def __init__(self, found: Detection | None) -> None:
        self.found = found

    def detect(self, rgb: np.ndarray) -> Detection | None:
        return self.found


class Network:
    """A network that sees people at these places."""

    def __init__(self, *places: tuple[float, float], score: float = 1.4) -> None:
        self.found = [WholeBody(np.tile(p, (133, 1)), np.full(133, score)) for p in places]

    def people(self, rgb: np.ndarray) -> list[WholeBody]:
        return self.found


def run(base: Detection | None, network: Network) -> Detection | None:
    return dwpose.DwPoseDetector(network, Base(base)).detect(np.zeros((*SIZE, 3), np.uint8))


def test_the_points_of_the_person_on_the_mask_are_taken() -> None:
    found = run(detection(), Network((70, 40), (14, 42)))
    np.testing.assert_array_equal(found.keypoints, np.tile([14, 42, 1], (133, 1)))
    np.testing.assert_array_equal(found.mask, detection().mask)


@pytest.mark.parametrize(
    "network",
    [Network(), Network((70, 40)), Network((14, 42), score=0.2), Network((10, 90))],
    ids=["nobody", "beside", "unsure", "another pose"],
)
def test_without_a_match_the_other_points_stay(network: Network) -> None:
    np.testing.assert_array_equal(run(detection(), network).keypoints, detection().keypoints)


def test_nobody_stays_nobody() -> None:
    assert run(None, Network((10, 30))) is None


def test_without_the_files_mediapipe_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    store = Store.from_environment({"SVAD_CACHE": str(tmp_path)})
    assert isinstance(dwpose.best_detector(store), MediapipeDetector)


def test_with_both_files_dwpose_is_used(tmp_path: Path) -> None:
    networks = pytest.importorskip("tests.pose.networks")
    networks.write_detector(tmp_path / "yolox_l.onnx")
    networks.write_estimator(tmp_path / "dw-ll_ucoco_384.onnx")
    environ = {"SVAD_CACHE": str(tmp_path / "cache"), "SVAD_WEIGHTS": str(tmp_path)}
    store = Store.from_environment(environ)
    detector = dwpose.best_detector(store)
    assert dwpose.shared_dwpose(store) is detector._network  # loaded once for everybody
    assert isinstance(detector, dwpose.DwPoseDetector)
    assert detector.detect(np.zeros((*SIZE, 3), np.uint8)) is None
