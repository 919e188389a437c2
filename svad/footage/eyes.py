"""What the looking through of pictures asks of whoever finds people in them."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from svad.track.seen import Box, Glimpse


class Eyes(Protocol):
    """Finds a person, their points and their matte; may be asked from several threads."""

    def person(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> tuple[Glimpse, int] | None:
        """The largest person in a picture, and how many others there are; thorough."""
        ...

    def body(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        box: Box | None,  # where to look; None = everywhere
    ) -> Glimpse | None:
        """The person in a part of a picture; quick."""
        ...

    def sharp(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        glimpse: Glimpse,
    ) -> tuple[np.ndarray, np.ndarray]:  # [133, 3], [H, W] uint8
        """The best points of a person who was found, and their matte."""
        ...

    def has_face(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        keypoints: np.ndarray,  # [133, 3] x px, y px, score
    ) -> bool:
        """Whether a face looks out of the picture where the body's nose is."""
        ...
