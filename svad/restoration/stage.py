"""Restoration: detail for the faces and for the rest of a clip's frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from svad.body.model import BodyModel
from svad.config.restoration import RestorationConfig
from svad.core.errors import NothingToDo, SettingError
from svad.core.progress import StepCounter
from svad.face.projection import KnownFace
from svad.media.images import resize
from svad.restoration import schedule
from svad.restoration.align import crop
from svad.restoration.background import PHOTO
from svad.restoration.faces import FramedFace
from svad.restoration.mask import ellipse_mask, face_labels, face_mask
from svad.restoration.method import Enlarged, Method, method_of
from svad.restoration.models import RESTORER, UPSAMPLER, RestorationModels
from svad.restoration.paste import RestoredFace, photo_is_sharper
from svad.restoration.report import before_and_after, summary
from svad.restoration.restorer import start_noise
from svad.restoration.search import Found, Search
from svad.restoration.upsampler import Upsampler
from svad.types import Clip, Report, Subject

# units of work, about a tera-operation each at the published sizes
FRAME, PLAIN_FRAME, AFTER_STEPS = 6, 1, 4
LEAST_MASK = 0.02  # share of the crop; with less, the restored crop shows no face
NOT_RESTORED = "not restored by the network"
NOTHING = (
    "There is nothing to restore with: {} and {} are missing, and the frames are "
    "not to be enlarged."
)


class RestorationStage:
    """Enlarges a clip and restores the faces in it, as well as the files at hand allow.

    Faces of several frames go through the restorer together, all from one start noise, so that
    neighbouring frames get the same texture. Without networks it still enlarges and sharpens.
    """

    def __init__(
        self,
        config: RestorationConfig,
        body: BodyModel,
        models: Callable[[], RestorationModels],  # asked when it runs; see `lazy_models`
    ) -> None:
        self.config, self.body, self.models = config, body, models

    def run(self, subject: Subject, clip: Clip, report: Report) -> Clip:
        """The clip `config.scale` times as large; the last note says what was done and what not.

        Raises `NothingToDo` if no network is there and nothing is to be enlarged, and
        `WeightsMismatch` or `UnsafeFile` for a file that is not the right one, `SettingError`.
        """
        try:
            schedule.steps(self.config.steps)
        except ValueError as error:
            raise SettingError(f"These settings do not work: {error}.") from error
        report(0, 1, "reading the networks")
        models = self.models()
        if models.restorer is None and models.upsampler is None and self.config.scale <= 1:
            files = (models.file(entry) for entry in (RESTORER, UPSAMPLER))
            raise NothingToDo(NOTHING.format(*files))
        run = _Run.begin(self.config, models, clip, report)
        found = Found() if models.restorer is None else self._search(subject, run)
        run.steps.total = run.steps.done + run.work(len(found.faces))
        for start in range(0, len(found.faces), self.config.batch):
            part = found.faces[start : start + self.config.batch]
            restored = run.restore(part, found, (start, len(found.faces)))
            run.draw([face.frame for face in part], restored)
        with_faces = {face.frame for face in found.faces}
        rest = [t for t in range(len(clip.rgb)) if t not in with_faces]
        for start in range(0, len(rest), self.config.batch):
            run.draw(rest[start : start + self.config.batch], {})
        note = summary(
            models, len(clip.rgb), self.config.scale, run.restored, found.left, run.photo_kept
        )
        report(run.steps.total, run.steps.total, note, run.picture)
        return run.result()

    def _search(self, subject: Subject, run: _Run) -> Found:
        models, clip, steps = run.models, run.clip, run.steps
        search = Search(
            known=KnownFace(self.body, subject.body, subject.keypoints),
            method=run.method,
            detector=models.detector,
            landmarks=models.landmarks,
            together=self.config.batch if models.on_gpu else 1,
        )
        frames = search.showing(clip, self.config.max_yaw)
        steps.total = len(frames) + run.work(len(frames))

        def tick(done: int, total: int) -> None:
            steps.tell(f"looking for the face, frame {done + 1} of {total}", ahead=done)

        found = search(clip, frames, self.config, tick)
        steps.done = len(frames)
        return found


@dataclass
class _Run:
    """What one run works on."""

    config: RestorationConfig
    models: RestorationModels
    clip: Clip
    steps: StepCounter  # of units of work
    method: Method
    background: Enlarged
    rgb: np.ndarray  # [T, h, w, 3] uint8, filled frame by frame
    restored: list[int] = field(default_factory=list)
    photo_kept: bool = False
    picture: np.ndarray | None = None
    drawn: int = 0

    @classmethod
    def begin(
        cls, config: RestorationConfig, models: RestorationModels, clip: Clip, report: Report
    ) -> _Run:
        height, width = (round(n * config.scale) for n in clip.rgb.shape[1:3])
        method, upsampler = method_of(config), None
        if models.upsampler is not None:
            on_gpu = models.upsampler.conv_first.weight.is_cuda
            tiles = config.tiles if on_gpu else config.cpu_tiles
            upsampler = Upsampler(models.upsampler, tiles)
        return cls(
            config=config,
            models=models,
            clip=clip,
            steps=StepCounter(report),
            method=method,
            background=method.enlarged(clip, (height, width), upsampler),
            rgb=np.empty((len(clip.rgb), height, width, 3), np.uint8),
        )

    @property
    def frame_work(self) -> int:
        return PLAIN_FRAME if self.models.upsampler is None else FRAME

    @property
    def face_work(self) -> int:
        return self.config.steps + AFTER_STEPS

    def work(self, faces: int) -> int:
        """Units of a run with so many faces."""
        return self.frame_work * len(self.clip.rgb) + self.face_work * faces

    def restore(
        self, faces: Sequence[FramedFace], found: Found, among: tuple[int, int]
    ) -> dict[int, RestoredFace]:
        """The faces of a batch by frame; those that fail go to `found.left`."""
        cut = self.method.crop
        crops = np.stack([cut(self.clip.rgb[face.frame], face.matrix) for face in faces])
        first, total = among
        units = self.face_work * len(faces)

        def told(done: int, of: int, note: str, picture: np.ndarray | None = None) -> None:
            step = note.rpartition(", ")[2]
            self.steps.tell(
                f"faces {first + 1} to {first + len(faces)} of {total}, {step}",
                ahead=units * done / max(of, 1),
            )

        restorer = self.models.restorer
        assert restorer is not None  # without it no face is looked for
        tried = restorer.attempt(
            crops, start_noise(self.config.seed), self.config.steps, told, len(faces)
        )
        self.steps.tell(f"faces {first + 1} to {first + len(faces)} of {total}, masks", ahead=units)
        masks = self._masks(faces, tried.rgb)
        self.steps.done += units
        kept = {}
        for i, face in enumerate(faces):
            candidate = RestoredFace(tried.rgb[i], masks[i], face.matrix)
            if i in tried.failed or masks[i].mean() < LEAST_MASK:
                found.leave(face.frame, NOT_RESTORED)
            elif face.frame == PHOTO and photo_is_sharper(self.clip.rgb[PHOTO], candidate):
                self.photo_kept = True
            else:
                kept[face.frame] = candidate
        self.restored += kept
        return kept

    def _masks(self, faces: Sequence[FramedFace], rgb: np.ndarray) -> list[np.ndarray]:
        if self.models.parser is not None:
            return [face_mask(labels) for labels in face_labels(self.models.parser, rgb)]
        oval = ellipse_mask()
        mattes = (crop(self.clip.matte[face.frame], face.matrix) for face in faces)
        return [oval * (matte / 255.0) for matte in mattes]

    def draw(self, numbers: Sequence[int], faces: dict[int, RestoredFace]) -> None:
        """Enlarges frames and pastes their faces."""
        (height, width), (h, w) = self.rgb.shape[1:3], self.clip.rgb.shape[1:3]
        ratio = (width / w, height / h)

        def tick() -> None:
            self.steps.tell(f"frame {min(self.drawn + 1, len(self.rgb))} of {len(self.rgb)}")

        for t, large in self.background.frames(numbers, tick):
            mine = [faces[t]] if t in faces else []
            self.rgb[t] = self.method.paste(large, mine, ratio)
            self.drawn += 1
            self.steps.done += self.frame_work
        shown = min(faces or numbers, key=lambda t: abs(np.angle(np.exp(1j * self.clip.yaw[t]))))
        pair = before_and_after(self.clip.rgb[shown], self.rgb[shown], self.clip.matte[shown])
        if self.picture is None:
            self.picture = pair
        self.steps.tell(f"{self.drawn} of {len(self.rgb)} frames done", pair)

    def result(self) -> Clip:
        """The clip at the new size."""
        height, width = self.rgb.shape[1:3]
        return replace(
            self.clip,
            rgb=self.rgb,
            matte=np.stack([resize(matte, width, height) for matte in self.clip.matte]),
            cameras=tuple(camera.resized(self.config.scale) for camera in self.clip.cameras),
        )
