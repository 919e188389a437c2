"""Settings of a run of the video diffusion networks."""

from __future__ import annotations

from dataclasses import dataclass

SOLVERS = ("ddim", "dpm2m")


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """One run; the defaults are those of the published program."""

    width: int = 1024  # px, a multiple of 64
    height: int = 1024  # px, a multiple of 64
    context: int = 48  # frames of a window: those the temporal modules were trained on
    overlap: int = 4  # frames that neighbouring windows share
    stride: int = 1  # 2^(stride - 1) is the widest spacing of frames in a window
    steps: int = 20
    solver: str = "ddim"  # or "dpm2m", which needs fewer steps
    guidance: float = 3.5  # classifier-free guidance
    guided_from: float = 0.0  # part of the steps with guidance: from this fraction ...
    guided_to: float = 1.0  # ... to before this one; the others take the conditional row alone
    seed: int = 99
    rows_together: bool = True  # both guidance rows in one call; half the memory if not
    decode_chunk: int = 4  # frames decoded at a time

    def __post_init__(self) -> None:
        if self.width % 8 or self.height % 8:
            raise ValueError(f"width and height must divide by 8, not {self.width}x{self.height}")
        if self.solver not in SOLVERS:
            raise ValueError(f"the solver must be one of {', '.join(SOLVERS)}, not {self.solver}")
        if not 0 <= self.overlap < self.context:
            raise ValueError(f"an overlap of 0 to {self.context - 1} is needed, not {self.overlap}")

    def guided(self, step: int) -> bool:
        """Whether a step computes the unconditional row too."""
        return self.guidance != 1 and self.guided_from <= step / self.steps < self.guided_to
