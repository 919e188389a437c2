"""The mediapipe models (body, face, hands, people), loaded once and called one at a time."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from svad.face.landmarks import MESH_OF_IBUG
from svad.subject import graphs
from svad.subject.spots import Spot

_NOISE = ("inference_feedback", "XNNPACK", "absl::InitializeLog", "NORM_RECT", "gl_context")

# Modules of mediapipe that only draw, and bring matplotlib for it: three quarters of its import.
_DRAWING = ("mediapipe.python.solutions.drawing_utils", "mediapipe.python.solutions.drawing_styles")

_FINDING = {
    "_pose": "pose_landmarks",
    "_face": "multi_face_landmarks",
    "_hands": "multi_hand_landmarks",
    "_people": "segmentation_mask",
    "_spots": "detections",
    "_faces": "detections",
    "_pose_at": "pose_landmarks",
}  # what each model's answer holds when it found something


@dataclass(frozen=True)
class PoseHit:
    """One person as the body model saw them."""

    points: np.ndarray  # [33, 3] x px, y px, visibility
    depth: np.ndarray  # [33] metres, relative to the hips, smaller = nearer
    mask: np.ndarray  # [H, W] float32, soft person mask


class _Model(Protocol):
    """One of mediapipe's models; what it answers has no types."""

    def process(
        self,
        image: Any,  # [H, W, 3] uint8 RGB, or the inputs by name
    ) -> Any: ...


class Landmarker:
    """Body, face and hand landmarks; safe to call from several threads (calls queue up)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settled: set[str] = set()

    @cached_property
    def _solutions(self) -> Any:  # mediapipe's module makes its names at run time
        os.environ.setdefault("GLOG_minloglevel", "2")
        for name in _DRAWING:
            sys.modules.setdefault(name, ModuleType(name))
        import mediapipe as mp  # takes a moment, so only when a photo comes

        return mp.solutions

    @cached_property
    def _pose(self) -> _Model:
        return self._solutions.pose.Pose(
            static_image_mode=True,
            model_complexity=1,
            enable_segmentation=True,
            min_detection_confidence=0.3,
        )

    @cached_property
    def _face(self) -> _Model:
        return self._solutions.face_mesh.FaceMesh(
            static_image_mode=True,
            refine_landmarks=True,
            max_num_faces=1,
            min_detection_confidence=0.3,
        )

    @cached_property
    def _hands(self) -> _Model:
        return self._solutions.hands.Hands(
            static_image_mode=True,
            max_num_hands=2,
            model_complexity=1,
            min_detection_confidence=0.3,
        )

    @cached_property
    def _people(self) -> _Model:
        return self._solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)

    @cached_property
    def _faces(self) -> _Model:
        return self._solutions.face_detection.FaceDetection(
            model_selection=1,  # of small faces; stricter than the mesh's own
            min_detection_confidence=0.3,
        )

    @cached_property
    def _spots(self) -> _Model:
        _ = self._solutions  # with its environment
        return graphs.solution(graphs.FIND_PEOPLE)

    @cached_property
    def _pose_at(self) -> _Model:
        _ = self._solutions
        return graphs.solution(graphs.POSE_AT_PLACE)

    def warm_up(self) -> None:
        """Load what every photo needs now, so that the first one does not wait for it."""
        blank = np.zeros((64, 64, 3), np.uint8)
        self.pose(blank)
        self.spots(blank)
        self.face(blank)
        self.hands(blank)
        self.people(blank)

    def people(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> np.ndarray:  # [H, W] float32
        """A soft mask of all people in the picture (256 x 256 inside)."""
        return np.array(self._run("_people", rgb).segmentation_mask, np.float32)

    def pose(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> PoseHit | None:
        """The most prominent person, or None."""
        return _hit(self._run("_pose", rgb), rgb.shape)

    def spots(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> list[Spot]:
        """All people in the picture (224 x 224 inside), the surest first."""
        height, width = rgb.shape[:2]
        found = []
        for one in self._run("_spots", rgb).detections or ():
            marks = one.location_data.relative_keypoints  # hips, circle, shoulders, circle
            hips, top = (np.array((m.x * width, m.y * height)) for m in (marks[0], marks[1]))
            found.append(Spot(hips=hips, top=top, score=float(one.score[0])))
        return found

    def pose_at(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        spot: Spot,
    ) -> PoseHit | None:
        """The landmarks of this very person, or None where there is nobody after all."""
        height, width = rgb.shape[:2]
        x, y = spot.hips / (width, height)
        place = graphs.place_of(x, y, spot.side / width, spot.side / height, spot.turn)
        return _hit(self._run("_pose_at", rgb, place=place), rgb.shape)

    def face(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> np.ndarray | None:  # [478, 3] x px, y px, z px
        """The face mesh of the most prominent face, or None."""
        result = self._run("_face", rgb)
        if not result.multi_face_landmarks:
            return None
        height, width = rgb.shape[:2]
        marks = result.multi_face_landmarks[0].landmark
        return np.array([(m.x * width, m.y * height, m.z * width) for m in marks], np.float32)

    def faces(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> list[np.ndarray]:  # each [2, 2]: x px, y px of the right and the left eye
        """The faces in the picture by their eyes."""
        height, width = rgb.shape[:2]
        found = []
        for one in self._run("_faces", rgb).detections or ():
            right, left = one.location_data.relative_keypoints[:2]
            found.append(np.array([(m.x * width, m.y * height) for m in (right, left)]))
        return found

    def face_points(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> np.ndarray | None:  # [68, 2] x px, y px
        """The 68 classical points of the most prominent face, or None."""
        mesh = self.face(rgb)
        return None if mesh is None else mesh[list(MESH_OF_IBUG), :2]

    def hands(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> list[np.ndarray]:  # each [21, 4] x px, y px, score, z px
        """Up to two hands; which side they belong to is for the caller to judge."""
        result = self._run("_hands", rgb)
        if not result.multi_hand_landmarks:
            return []
        height, width = rgb.shape[:2]
        hands = []
        for hand, side in zip(result.multi_hand_landmarks, result.multi_handedness, strict=True):
            score = side.classification[0].score
            marks = [(m.x * width, m.y * height, score, m.z * width) for m in hand.landmark]
            hands.append(np.array(marks, np.float32))
        return hands

    def _run(self, name: str, rgb: np.ndarray, **more: Any) -> Any:
        image = np.ascontiguousarray(rgb)
        with self._lock:
            with contextlib.nullcontext() if name in self._settled else _quiet():
                result = getattr(self, name).process({"image": image, **more} if more else image)
            if getattr(result, _FINDING[name], None) is not None:
                self._settled.add(name)  # every part of the model has run and had its say
            return result


def _hit(result: Any, shape: tuple[int, ...]) -> PoseHit | None:
    """What the body model answered about a picture of this height and width."""
    if result.pose_landmarks is None or result.segmentation_mask is None:
        return None
    height, width = shape[:2]
    points = [(m.x * width, m.y * height, m.visibility) for m in result.pose_landmarks.landmark]
    depth = [m.z for m in result.pose_world_landmarks.landmark]
    return PoseHit(
        points=np.array(points, np.float32),
        depth=np.array(depth, np.float32),
        mask=np.array(result.segmentation_mask, np.float32),
    )


def shared_landmarker() -> Landmarker:
    """The one landmarker of this process; models do not survive a fork."""
    return _landmarker_of(os.getpid())


@lru_cache(maxsize=1)
def _landmarker_of(process: int) -> Landmarker:
    return Landmarker()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drops the native libraries' start-up chatter from stderr and passes on all else."""
    try:
        descriptor = sys.__stderr__.fileno() if sys.__stderr__ else 2
        kept = os.dup(descriptor)
    except OSError:  # no stderr at all: nothing to keep quiet
        yield
        return
    with tempfile.TemporaryFile() as store:
        os.dup2(store.fileno(), descriptor)
        try:
            yield
        finally:
            os.dup2(kept, descriptor)
            os.close(kept)
            store.seek(0)
            for line in store.read().decode(errors="replace").splitlines():
                if line.strip() and not any(word in line for word in _NOISE):
                    print(line, file=sys.stderr)
