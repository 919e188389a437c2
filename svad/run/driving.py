"""The person of a photo in the movements of a clip, by the video model."""

from __future__ import annotations

from pathlib import Path

from svad import weights
from svad.config.preset import Preset
from svad.config.presets import with_video
from svad.core.errors import SettingError
from svad.core.progress import silent
from svad.run.makers.builders import read_photo
from svad.run.stages import stage_makers
from svad.types import Report


def drive(
    photo: Path | bytes, clip: Path, output: Path, preset: Preset, report: Report | None = None
) -> Path:
    """Writes a video (.mp4) of the photo's person in the movements of a clip.

    As many frames as the preset has are taken from the clip. Raises `MissingWeights` when the
    preset needs a file that is not here, `SettingError` for a preset without a video model or
    with settings that do not go together, `PhotoError`, `VideoError`, `OutputError`.
    """
    preset.require_valid()
    if preset.diffusion is None:
        able = " or ".join(with_video())
        raise SettingError(f"{preset.name} has no video model. Choose {able}.")
    weights.require(preset.name)
    from svad.media.video import read_frames, write_mp4

    told = report or silent
    frames, fps = read_frames(clip, preset.diffusion.frames)
    stages = stage_makers(preset)
    decoded = read_photo(photo)
    subject = stages["subject"]().run(decoded, lambda *_: told(0, 1000, "looking at the photo"))
    write_mp4(output, stages["follow"]().run(subject, frames, told), fps)
    return output
