"""The restored detail of faces and frames."""

from __future__ import annotations

from dataclasses import dataclass

from svad.config.limits import SEEDS
from svad.core.errors import SettingError
from svad.core.ranges import Checked, within


@dataclass(frozen=True, kw_only=True)
class TileConfig(Checked):
    """How a picture is cut when it is larger than what the background network may see at once."""

    # of the input, in one call; half precision takes about 2 kB each
    pixels: int = within(2**20, 1, 2**31)
    tile: int = within(512, 32, 4096)  # px, side of a tile
    overlap: int = within(96, 0, 4095)  # px that neighbours share
    # px at an inner edge of a tile that count nothing; then the weight rises
    blind: int = within(16, 0, 2047)

    def require_valid(self) -> None:
        """Raises `SettingError` for tiles that do not cover a picture without a seam."""
        if not 2 * self.blind < self.overlap < self.tile:
            raise SettingError(
                "These settings do not work: of a tile, twice blind must be less than overlap and "
                f"overlap less than tile, not {self.blind}, {self.overlap} and {self.tile}."
            )


@dataclass(frozen=True, kw_only=True)
class RestorationConfig(Checked):
    """Detail for faces and for the rest of the frames."""

    steps: int = within(50, 1, 500)  # of the face sampler, a divisor of 1000 (BFRffusion: 50)
    scale: float = within(1.5, 0.25, 4)  # output size over input size (SVAD section 3.3)
    # degrees; faces seen from farther aside are left as they are
    max_yaw: float = within(60.0, 0, 180)
    batch: int = within(8, 1, 1000)  # faces restored together
    # px, side of the square around a face; smaller ones are left as they are. (The published limit,
    # 5 px between the eyes, is a square of 20.)
    smallest_face: float = within(40.0, 1, 4096)
    # of the start noise, one for all faces of the person (BFRffusion: 42)
    seed: int = within(42, *SEEDS)
    tiles: TileConfig = TileConfig()  # of the background network on a GPU
    cpu_tiles: TileConfig = TileConfig(pixels=2**17, tile=320)  # Stop waits for a call
    strict: bool = False  # alignment, pasting and background tiles with the published faults

    def require_valid(self) -> None:
        """Raises `SettingError` for steps that cannot be spaced evenly, and for tiles."""
        super().require_valid()
        if 1000 % self.steps:
            raise SettingError(
                "These settings do not work: the steps of the face sampler must divide 1000, as "
                f"10, 20, 25, 40 and 50 do; {self.steps} do not."
            )
