"""From a photo to the person in it: matte, landmarks, body fit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch

from svad.body.model import BodyModel
from svad.config.subject import SubjectConfig
from svad.core.progress import part
from svad.media.images import fit_within
from svad.subject.detect import Detector, MediapipeDetector
from svad.subject.drawing import body_over_photo
from svad.subject.evidence import gather
from svad.subject.fit import BodyFitter
from svad.subject.hands import fit_hands
from svad.subject.look import Look
from svad.subject.look import look as look_at
from svad.types import BodyFit, Photo, Report, Subject

_TOTAL = 100


class SubjectStage:
    """Understands the photo; keep one per process, the body is prepared once."""

    def __init__(
        self,
        config: SubjectConfig,
        body: BodyModel,
        detector: Callable[[], Detector] = MediapipeDetector,  # made when first needed
    ) -> None:
        self._config, self._body = config, body
        self._detector = cache(detector)

    def run(self, photo: Photo, report: Report, look: Look | None = None) -> Subject:
        """The person in the photo with a fitted body; `look` is an earlier look at this photo.

        Raises `PhotoError` for a photo without a usable person.
        """
        report(0, _TOTAL, "Looking for the person")
        if look is None:
            look = look_at(photo, self._config, self._detector())
        report(30, _TOTAL, "Person found", thumbnail(look.overlay))
        evidence = gather(look.keypoints, look.depth, look.face, look.matte)
        fitter, fitting = BodyFitter(self._body), part(report, 30, 85, _TOTAL)
        parameters = fitter.fit(evidence, lambda share: fitting(share, 1, "Fitting the body"))
        report(88, _TOTAL, "Fitting the hands")
        hands = fit_hands(self._body, fitter.result(parameters, evidence), evidence)
        body = fitter.result(parameters, evidence, hands)
        picture = body_over_photo(
            look.photo.rgb, posed_vertices(self._body, body), self._body.faces.numpy(), body.camera
        )
        report(_TOTAL, _TOTAL, "Body fitted", thumbnail(picture))
        return Subject(
            photo=look.photo,
            matte=look.matte,
            keypoints=look.keypoints,
            face=look.face,
            head=look.head,
            body=body,
            warnings=look.warnings,
        )


def posed_vertices(body: BodyModel, fit: BodyFit) -> np.ndarray:  # [V, 3]
    """The fitted body's surface in the photo's pose, world coordinates."""
    rest = body.rest(torch.from_numpy(fit.betas), torch.from_numpy(fit.bone_scales))
    return body.pose_vertices(rest, fit.pose.rotations[0], fit.pose.translation[0]).numpy()


def thumbnail(
    image: np.ndarray,  # [H, W, 3] uint8
) -> np.ndarray:  # [h, w, 3] uint8
    """A picture of at most 360 px a side for the progress list."""
    return fit_within(image, 360, 360)
