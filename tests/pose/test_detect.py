"""DWPose end to end, on small networks made here."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from svad.core.errors import MissingWeights, SvadError
from svad.pose import simcc
from svad.pose.detect import DETECTOR, ESTIMATOR, DwPose, working_size
from tests.pose import networks

PLACE = (112, 176)  # x, y in a picture of 256 x 256: the middle of a cell of the small detector
RED, GREEN = (-30, -40), (26, 48)  # where the points lie, from there
NEAR = 6  # px; half a pixel of the small estimator's input is 2.2 px here


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both files, small: people are blue, their key points red and green."""
    folder = tmp_path_factory.mktemp("weights")
    paths = {name: folder / f"{name}.onnx" for name in (DETECTOR, ESTIMATOR)}
    networks.write_detector(paths[DETECTOR])  # channel 0 of B, G, R
    networks.write_estimator(paths[ESTIMATOR])  # channels 0 and 1 of R, G, B
    return paths


@pytest.fixture(scope="module")
def network(files: dict[str, Path]) -> DwPose:
    return DwPose(files[DETECTOR], files[ESTIMATOR], resolution=256, threads=1)


def picture(
    place: tuple[int, int] | None = PLACE, size: tuple[int, int] = (256, 256)
) -> np.ndarray:
    """Somebody: a blue square of 32 px, a red and a green one of 12 px beside it, on black."""
    rgb = np.zeros((*size, 3), np.uint8)
    if place:
        for channel, half, offset in ((2, 16, (0, 0)), (0, 6, RED), (1, 6, GREEN)):
            x, y = np.add(place, offset)
            rgb[y - half : y + half, x - half : x + half, channel] = 255
    return rgb


def points_at(place: tuple[int, int]) -> np.ndarray:  # [133, 2]
    return np.repeat([np.add(place, RED), np.add(place, GREEN)], (67, 66), axis=0)


def test_a_person_is_found_and_the_points_lie_on_them(network: DwPose) -> None:
    (box,) = network.boxes(picture())
    # one cell of the small detector is 32 px here, a box four of them
    np.testing.assert_allclose(box[:4], [48, 112, 176, 240], atol=1e-3)
    assert box[4] == pytest.approx(1, abs=0.02)
    person = network.person(picture())
    assert person.xy.shape == (133, 2) and person.score.shape == (133,)
    np.testing.assert_allclose(person.xy, points_at(PLACE), atol=NEAR)
    assert (person.score > 1).all()  # normalised brightness
    (same,) = network.people(picture())
    np.testing.assert_array_equal(same.xy, person.xy)
    again = network.estimate(picture(), box)
    np.testing.assert_array_equal(again.xy, person.xy)


def test_each_network_gets_its_own_channel_order(network: DwPose) -> None:
    assert network.people(picture()[..., [0, 2, 1]]) == []  # blue and green swapped: no person
    swapped = network.person(picture()[..., [1, 0, 2]])  # red and green swapped: points change
    np.testing.assert_allclose(swapped.xy[::-1][:66], points_at(PLACE)[:66], atol=NEAR)


def test_nobody_found_means_the_whole_picture(network: DwPose) -> None:
    assert network.people(picture(None)) == []
    rgb = picture()
    rgb[..., 2] = 0
    np.testing.assert_allclose(network.person(rgb).xy, points_at(PLACE), atol=2 * NEAR)


def test_points_come_back_in_pixels_of_the_picture_that_was_given(files: dict[str, Path]) -> None:
    for resolution in (128, 320):
        person = DwPose(*files.values(), resolution=resolution).person(picture())
        np.testing.assert_allclose(person.xy, points_at(PLACE), atol=NEAR)
    place = (131, 140)  # 256 x 300 is worked on at 256 x 320
    wide = DwPose(*files.values(), resolution=256).person(picture(place, (256, 300)))
    np.testing.assert_allclose(wide.xy, points_at(place), atol=NEAR)


def test_a_file_that_leaves_its_size_open_gets_the_published_one(
    files: dict[str, Path], tmp_path: Path
) -> None:
    networks.write_estimator(tmp_path / "open.onnx", *simcc.INPUT_SIZE, named=True)
    person = DwPose(files[DETECTOR], tmp_path / "open.onnx", resolution=256).person(picture())
    # a bin is 0.3 px, a square 12 px, its first brightest place half of that from the middle
    np.testing.assert_allclose(person.xy, points_at(PLACE), atol=7)


def test_following_looks_with_the_detector_only_when_it_must(
    network: DwPose, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    real = network._boxes
    monkeypatch.setattr(network, "_boxes", lambda rgb: looks.append(1) or real(rgb))
    places = [(112, 176), (114, 174), (116, 172), None, (112, 176), (110, 178)]
    found = list(network.follow(picture(place) for place in places))
    for person, place in zip(found, places, strict=True):
        if place:
            np.testing.assert_allclose(person.xy, points_at(place), atol=NEAR)
    assert len(looks) == 2  # at the start, and after the frame without anybody


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place of this machine where pretrained files are looked for; empty."""
    from huggingface_hub import constants

    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("SVAD_WEIGHTS", str(own))
    monkeypatch.setenv("SVAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return own


def test_files_brought_along_are_found_by_their_published_names(
    files: dict[str, Path], own_folder: Path
) -> None:
    shutil.copy(files[DETECTOR], own_folder / "yolox_l.onnx")
    shutil.copy(files[ESTIMATOR], own_folder / "dw-ll_ucoco_384.onnx")
    person = DwPose.load(resolution=256).person(picture())
    np.testing.assert_allclose(person.xy, points_at(PLACE), atol=NEAR)


@pytest.mark.parametrize("name", [DETECTOR, ESTIMATOR])
def test_a_missing_file_is_named_with_source_and_terms(
    files: dict[str, Path], own_folder: Path, name: str
) -> None:
    published = {DETECTOR: "yolox_l.onnx", ESTIMATOR: "dw-ll_ucoco_384.onnx"}
    for other in {DETECTOR, ESTIMATOR} - {name}:
        shutil.copy(files[other], own_folder / published[other])
    absent = {**files, name: own_folder / "absent.onnx"}
    for make in (DwPose.load, lambda: DwPose(absent[DETECTOR], absent[ESTIMATOR])):
        with pytest.raises(MissingWeights) as caught:
            make()
        assert published[name] == caught.value.name
        assert "yzd-v/DWPose" in caught.value.source and caught.value.terms


def test_files_that_do_not_fit_are_refused(files: dict[str, Path], tmp_path: Path) -> None:
    broken, few = tmp_path / "broken.onnx", tmp_path / "few.onnx"
    broken.write_bytes(files[DETECTOR].read_bytes()[:200] + b"\0" * 50)
    with pytest.raises(SvadError, match="broken.onnx"):
        DwPose(broken, files[ESTIMATOR])
    for content in (b"", b"version https://git-lfs", b"<html>not found</html>"):
        broken.write_bytes(content)
        with pytest.raises(SvadError, match="broken.onnx"):
            DwPose(files[DETECTOR], broken)
    with pytest.raises(SvadError, match="Is it the right file"):
        DwPose(files[ESTIMATOR], files[DETECTOR])
    networks.write_estimator(few, points=17)
    with pytest.raises(SvadError, match="133"):
        DwPose(files[DETECTOR], few, resolution=256).person(picture())
    cells = tmp_path / "cells.onnx"
    networks.write_detector(cells, cells=networks.CELLS + 3)
    with pytest.raises(SvadError, match="cells.onnx"):
        DwPose(cells, files[ESTIMATOR], resolution=256).person(picture())


def test_working_sizes_are_multiples_of_64() -> None:
    assert working_size(1080, 1080, 1080) == (1088, 1088)
    assert working_size(3000, 2000, 512) == (768, 512)
    assert working_size(10, 4000, 64) == (64, 4096)
