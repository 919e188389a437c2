"""Videos of an avatar that moves: in a bundled motion, or in one that a visitor brings."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from svad.core.progress import part, silent
from svad.ui import texts
from svad.ui.beats import Followed
from svad.ui.result_view import short
from svad.ui.shooting import Filming

if TYPE_CHECKING:
    from svad.types import Report
    from svad.ui.engine import AvatarMover
    from svad.ui.files import Shelf
    from svad.ui.gallery import Finished

USUAL = Filming()
TRACKING = 60  # of a hundred parts of the time: finding out how the person in the clip moves


def play(
    mover: AvatarMover,
    finished: Finished,
    motion: str,
    shelf: Shelf,
    report: Report,
    how: Filming = USUAL,
) -> Path:
    """The video of a bundled motion as the page can show it.

    The usual one is kept beside the avatar; of others nothing is left there.
    """
    if how.usual:
        video = finished.folder / "motions" / f"{motion}.mp4"
        video.parent.mkdir(exist_ok=True)
        return shelf.publish(mover.motion_video(finished.folder, motion, video, report=report))
    name = f"avatar-{short(finished.key)}-{motion}{how.ending}"
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / name
        mover.motion_video(finished.folder, motion, video, report=report, shot=how.shot)
        return shelf.publish(video, job=shelf.owner(finished.folder))


def stand(
    mover: AvatarMover,
    finished: Finished,
    pose: Mapping[str, float],  # of the viewer's sliders
    shelf: Shelf,
    how: Filming = USUAL,
) -> Path:
    """A picture of the avatar in a pose; nothing is left beside the avatar."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / f"avatar-{short(finished.key)}.png"
        mover.still(finished.folder, pose, picture, shot=how.shot)
        return shelf.publish(picture, job=shelf.owner(finished.folder))


def follow(
    mover: AvatarMover,
    finished: Finished,
    clip: Path,
    shelf: Shelf,
    report: Report,
    how: Filming = USUAL,
) -> Followed:
    """The avatar moving as the person in a clip or a motion's file does, and that motion as files.

    Nothing is left beside the avatar: an example's folder can be read by everybody.
    """
    with tempfile.TemporaryDirectory() as folder:
        motion, video = Path(folder) / "motion.npz", Path(folder) / f"motion{how.ending}"
        said: list[str] = []
        following = part(report, 0, TRACKING, 100, texts.FOLLOWING)
        mover.track(clip, motion, following, say=said.append)
        drawing = part(report, TRACKING, 100, 100, texts.DRAWING)
        mover.clip_motion(finished.folder, motion, video, report=drawing, shot=how.shot)
        bvh = mover.track(motion, motion.with_suffix(".bvh"), silent, say=said.append)
        name = f"avatar-{short(finished.key)}-motion"
        mesh = mover.mesh(finished.folder, motion, motion.with_suffix(".glb"), report=silent)
        film, data, same, mesh = (
            shelf.publish(file, f"{name}{file.suffix}", shelf.owner(finished.folder))
            for file in (video, motion, bvh, mesh)
        )
        shown = None
        if finished.moving is not None:
            rig = mover.clip_motion(
                finished.folder, motion, video.with_suffix(".rig"), report=silent
            )
            shown = shelf.publish(rig, f"{name}.rig", shelf.owner(finished.folder))
        return Followed(film, data, same, mesh, shown, tuple(said))
