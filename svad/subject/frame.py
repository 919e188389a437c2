"""The working picture: the photo at the size and cut the later stages use."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_LONGEST = 1400  # px, longer side of the working picture
_MARGIN = 0.25  # of the person's height, kept around a small person when cropping


@dataclass(frozen=True)
class Frame:
    """A cut through the photo and its size when worked on."""

    box: tuple[int, int, int, int]  # x0, y0, x1, y1 in photo pixels
    width: int  # working pixels
    height: int

    @property
    def scale(self) -> float:
        """Working pixels per photo pixel."""
        return self.height / (self.box[3] - self.box[1])

    def cut(
        self,
        image: np.ndarray,  # [H, W] or [H, W, C] of the photo
    ) -> np.ndarray:  # [height, width] or [height, width, C]
        """This frame of a picture as large as the photo."""
        x0, y0, x1, y1 = self.box
        part = np.ascontiguousarray(image[y0:y1, x0:x1])
        if part.shape[1::-1] == (self.width, self.height):
            return part
        return cv2.resize(part, (self.width, self.height), interpolation=cv2.INTER_AREA)

    def move(
        self,
        points: np.ndarray,  # [..., 2 or 3]: x, y in photo pixels, a third value
        scale_third: bool = False,  # the third value is a length in pixels too
    ) -> np.ndarray:
        """Points of the photo in working pixels."""
        x0, y0, x1, y1 = self.box
        result = np.array(points, np.float32)
        result[..., 0] = (result[..., 0] - x0) * (self.width / (x1 - x0))
        result[..., 1] = (result[..., 1] - y0) * (self.height / (y1 - y0))
        if scale_third:
            result[..., 2] *= self.scale
        return result


def working_frame(
    person: tuple[int, int, int, int],  # x0, y0, x1, y1 of the person in photo pixels
    shape: tuple[int, ...],  # height, width of the photo
    person_height: int,  # px wanted
) -> Frame:
    """The whole picture, shrunk so that the person is `person_height` high; never enlarged.

    Where that is still a large picture (a small person far away) it is cut to the person and
    ample margins.
    """
    height, width = shape
    tall = person[3] - person[1]
    scale = min(1.0, person_height / tall)
    box = (0, 0, width, height)
    if max(width, height) * scale > _LONGEST:
        room = max(_MARGIN * tall, 0.5 * (_LONGEST / scale - max(tall, person[2] - person[0])))
        room = min(room, 1.0 * tall)
        box = (
            max(0, int(person[0] - room)),
            max(0, int(person[1] - room)),
            min(width, int(person[2] + room)),
            min(height, int(person[3] + room)),
        )
        scale = min(scale, 1.5 * _LONGEST / max(box[2] - box[0], box[3] - box[1]))
    size = (max(1, round((box[2] - box[0]) * scale)), max(1, round((box[3] - box[1]) * scale)))
    return Frame(box=box, width=size[0], height=size[1])
