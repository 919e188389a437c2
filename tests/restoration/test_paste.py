"""Restored faces back in the frame: golden cases, exact places, no seam, sharpness."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from svad.geometry.similarity import move
from svad.media.images import read_png, read_rgb
from svad.restoration import published
from svad.restoration.align import CROP, crop, robust_similarity, warp
from svad.restoration.enlarge import enlarge
from svad.restoration.mask import ellipse_mask, face_mask, parsing_input
from svad.restoration.paste import RestoredFace, paste, paste_matrix, photo_is_sharper
from tests.restoration.golden import LEVELS, Golden

CROP_LEVELS = 2  # of 255


@dataclass(frozen=True, eq=False)
class PasteCase:
    """One folder below `paste`."""

    folder: Path

    @cached_property
    def entry(self) -> dict:
        return json.loads((self.folder / "case.json").read_text())

    @cached_property
    def arrays(self) -> dict[str, torch.Tensor]:
        return load_file(self.folder / "golden.safetensors")

    def rgb(self, name: str) -> np.ndarray:
        return read_rgb(self.folder / f"{name}.png")

    def background(self) -> np.ndarray:
        if self.entry["background"] == "given":
            return self.rgb("background")
        frame, scale = self.rgb("input"), self.entry["scale"]
        return enlarge(frame, (int(frame.shape[0] * scale), int(frame.shape[1] * scale)))

    def points(self) -> list[np.ndarray]:
        """Five points of each row of the detector."""
        return [np.array(row[5:], np.float32).reshape(5, 2) for row in self.entry["detections"]]

    def faces(self) -> list[RestoredFace]:
        kept = [self.points()[i] for i in self.entry["kept"]]
        return [
            RestoredFace(
                self.rgb(f"restored{i}"),
                face_mask(read_png(self.folder / f"labels{i}.png")),
                robust_similarity(points),
            )
            for i, points in enumerate(kept)
        ]


@pytest.fixture(scope="session")
def cases(golden: Golden) -> list[PasteCase]:
    found = [PasteCase(path.parent) for path in sorted(golden.folder.glob("paste/*/case.json"))]
    assert found
    return found


def off(found: np.ndarray, want: np.ndarray) -> float:
    assert found.shape == want.shape
    return float(np.abs(found.astype(np.float64) - np.asarray(want, np.float64)).max())


def test_the_pixel_rule_keeps_the_published_rows(cases: list[PasteCase]) -> None:
    for case in cases:
        limit = case.entry["eye_distance_threshold"]
        kept = [i for i, points in enumerate(case.points()) if published.wide_enough(points, limit)]
        assert kept == case.entry["kept"]


def test_crops_masks_and_matrices(cases: list[PasteCase]) -> None:
    for case in cases:
        scale, frame, golden = case.entry["scale"], case.rgb("input"), case.arrays
        height, width = case.background().shape[:2]
        for i, face in enumerate(case.faces()):
            square = np.array([(0, 0), (CROP, 0), (0, CROP), (CROP, CROP)])
            matrix = published.paste_matrix(face.matrix, (scale, scale))
            want = golden[f"paste_matrix_{i}"].numpy()
            assert off(move(square, matrix), move(square, want)) < 0.01
            shown = published.crop(frame, face.matrix)[::4, ::4, ::-1]
            assert off(shown, golden[f"crop{i}_every4"].numpy()) <= CROP_LEVELS
            assert off(face.mask[::8, ::8], golden[f"mask512_{i}_every8"].numpy()) <= 1e-6
            warped = published.warp(face.mask, matrix, (0, 0, width, height))
            assert off(warped[::2, ::2], golden[f"mask_out_{i}_every2"].numpy()) <= 1e-3
            given = parsing_input(face.rgb[None])[0, :, ::16, ::16].numpy()
            assert off(given, golden[f"parse_input_{i}_every16"].numpy()) <= 1e-6


def test_published_pasting(cases: list[PasteCase]) -> None:
    for case in cases:
        ratio = (case.entry["scale"],) * 2
        found = published.paste(case.background(), case.faces(), ratio)
        assert off(found, case.rgb("output")) <= LEVELS


def ramp_face(scale: float, matrix: np.ndarray) -> tuple[np.ndarray, RestoredFace]:
    """An enlarged frame that tells its own place, and a face that tells the same."""
    height, width = round(90 * scale), round(110 * scale)
    rows, columns = np.mgrid[:height, :width]
    frame = np.stack([2 * columns, 2 * rows, 0 * rows], -1) / scale
    rows, columns = np.mgrid[:CROP, :CROP]
    there = move(np.stack([columns, rows], -1), paste_matrix(matrix, (scale, scale)))
    told = np.concatenate([2 * there / scale, 0 * there[..., :1]], -1)
    clipped = (np.clip(np.rint(v), 0, 255).astype(np.uint8) for v in (frame, told))
    frame, rgb = clipped
    return frame, RestoredFace(rgb, ellipse_mask(), matrix)


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_pasting_what_is_there_already_changes_nothing(scale: float) -> None:
    turn = np.array([[6.0, 1.1], [-1.1, 6.0]])
    matrix = np.concatenate([turn, np.array([[-60.0], [-20.0]])], 1)
    frame, face = ramp_face(scale, matrix)
    assert off(paste(frame, [face], (scale, scale)), frame) <= 1


def test_the_published_way_is_half_a_pixel_off_and_darker() -> None:
    matrix = np.array([[6.0, 0, -60.0], [0, 6.0, -20.0]])
    frame, face = ramp_face(2.0, matrix)
    shifted = published.paste(frame, [face], (2.0, 2.0)).astype(int) - frame
    exact = paste(frame, [face], (2.0, 2.0)).astype(int) - frame
    inside = warp(face.mask, paste_matrix(matrix, (2.0, 2.0)), (0, 0, 220, 180)) > 0.99
    assert shifted[inside][:, :2].mean() < -0.5 and abs(exact[inside][:, :2].mean()) < 0.1


def test_a_face_across_the_border_is_pasted_where_the_frame_is() -> None:
    frame = np.full((60, 80, 3), 50, np.uint8)
    face = RestoredFace(np.full((CROP, CROP, 3), 250, np.uint8), ellipse_mask(), np.zeros((2, 3)))
    for shift in ((-40, 10), (60, 10), (20, -30), (20, 45), (-90, 0), (200, 300)):
        matrix = cv2.invertAffineTransform(np.array([[0.1, 0, shift[0]], [0, 0.1, shift[1]]]))
        placed = RestoredFace(face.rgb, face.mask, matrix)
        found = paste(frame, [placed], (1.0, 1.0))
        whole = np.pad(frame, ((200, 200), (200, 200), (0, 0)), mode="edge")
        moved_matrix = cv2.invertAffineTransform(
            np.array([[0.1, 0, shift[0] + 200.0], [0, 0.1, shift[1] + 200.0]])
        )
        larger = paste(whole, [RestoredFace(face.rgb, face.mask, moved_matrix)], (1.0, 1.0))
        assert off(found, larger[200:260, 200:280]) <= 1
    assert (found == frame).all()  # the last lies outside


def test_a_shrunken_face_is_not_aliased() -> None:
    stripes = np.zeros((CROP, CROP, 3), np.uint8)
    stripes[:, ::2] = 200
    matrix = cv2.invertAffineTransform(np.array([[0.23, 0, 10.0], [0, 0.23, 5.0]]))
    face = RestoredFace(stripes, np.ones((CROP, CROP)), matrix)
    frame = np.zeros((140, 140, 3), np.uint8)
    smooth, aliased = (
        put(frame, [face], (1.0, 1.0))[20:100, 30:110].astype(int)
        for put in (paste, published.paste)
    )
    assert np.abs(smooth - 100).max() < 20 < np.abs(aliased - 100).max()


def test_the_sharper_face_is_told() -> None:
    random = np.random.default_rng(0)
    texture = cv2.GaussianBlur(random.uniform(0, 255, (160, 160, 3)).astype(np.float32), (0, 0), 1)
    photo = np.clip(texture, 0, 255).astype(np.uint8)
    soft = cv2.GaussianBlur(photo, (0, 0), 2)
    matrix = np.array([[4.0, 0, -60], [0, 4.0, -60]])
    crisp, blurred = (
        RestoredFace(crop(picture, matrix), ellipse_mask(), matrix) for picture in (photo, soft)
    )
    assert photo_is_sharper(photo, blurred)
    assert not photo_is_sharper(soft, crisp)
