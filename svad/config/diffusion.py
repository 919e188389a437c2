"""The video diffusion model and its driving sequence."""

from __future__ import annotations

from dataclasses import dataclass

from svad.config.limits import SEEDS, SHARE, SIDE
from svad.core.errors import SettingError
from svad.core.ranges import Checked, one_of, within

SOLVERS = ("ddim", "dpm2m")  # of the video diffusion model
TURNS = ("paper", "even")  # schedules of the driving sequence
FITS = ("keypoints", "body")  # ways to bring the driving sequence onto the person


@dataclass(frozen=True, kw_only=True)
class DiffusionConfig(Checked):
    """The turning person from the video diffusion model; the defaults are SVAD's settings."""

    frames: int = within(189, 1, 2000)  # length of SVAD's driving clip
    # the clip's yaw schedule, or "even": once around at an even pace
    turn: str = one_of("paper", TURNS)
    # figures aligned in the picture (SVAD section 3.1), or "body"
    fit: str = one_of("keypoints", FITS)
    squash: bool = False  # True: the photo stretched to the canvas, as the published program does
    width: int = within(1024, *SIDE)  # px of the frames, a multiple of 64
    height: int = within(1024, *SIDE)  # px of the frames, a multiple of 64
    steps: int = within(20, 1, 1000)
    solver: str = one_of("ddim", SOLVERS)  # or "dpm2m" (DPM-Solver++, Lu et al. 2022)
    guidance: float = within(3.5, 0, 100)  # classifier-free guidance, SVAD's value
    guided: tuple[float, float] = within((0.0, 1.0), *SHARE)  # the part of the steps that is guided
    # frames of a window: those the temporal modules were trained on
    context: int = within(48, 1, 1000)
    overlap: int = within(4, 0, 999)  # frames that neighbouring windows share
    stride: int = within(1, 1, 16)  # 2^(stride - 1) is the widest spacing of frames in a window
    seed: int = within(99, *SEEDS)  # SVAD's value; a run's own seed is added
    rows_together: bool = True  # both rows of the guidance in one call; half the memory if not
    decode_chunk: int = within(4, 1, 1000)  # frames decoded at a time

    def guides(self, step: int) -> bool:
        """Whether a step computes the unconditional row too."""
        first, end = self.guided
        return self.guidance != 1 and first <= step / self.steps < end

    def require_valid(self) -> None:
        """Raises `SettingError` for values that the networks cannot work with."""
        if self.width % 8 or self.height % 8:
            wrong = f"width and height must divide by 8, not {self.width}x{self.height}"
        elif self.overlap >= self.context:
            wrong = f"an overlap of 0 to {self.context - 1} is needed, not {self.overlap}"
        else:
            return
        raise SettingError(f"These settings do not work: {wrong}.")
