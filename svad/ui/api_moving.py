"""The public endpoints that show an avatar in a motion or a pose, from a camera of choice."""

from __future__ import annotations

from pathlib import Path

from gradio.events import api

from svad.core.errors import SettingError, SvadError
from svad.motion.authored import authored
from svad.ui import texts
from svad.ui.beats import Followed
from svad.ui.calls import explained, file_data, newest, word
from svad.ui.files import uploaded
from svad.ui.shooting import asked
from svad.ui.studio import Studio


def add_moving(studio: Studio) -> None:
    """Adds them to the page being built."""

    def animate(
        job: str,
        motion: str,
        camera: str = "front",
        background: str = "studio",
        size: int = 720,
        fps: int = 0,
        frames: bool = False,
        picture: dict | None = None,
    ) -> dict:
        """Plays a motion with the finished avatar of a job; gives the video file.

        It is an .mp4; .webm with a transparent background, .zip where frames are asked for.

        Args:
            job: the word that generate gave as "job"
            motion: the name of a motion, such as wave, walk or turn; a wrong one is answered with all names
            camera: front, left, right, back, orbit (once around) or portrait (head and shoulders)
            background: studio, transparent, or a colour such as white or #20a040
            size: height in pixels: 480, 720 or 1080
            fps: frames a second: 24, 25, 30 or 60; 0 for those of the motion
            frames: every frame as a picture, in a .zip
            picture: an uploaded file as {"path": PATH}, in place of the background
        """  # noqa: E501
        finished = newest(studio, job)
        if word("motion", motion, "wave") not in finished.motions:
            names = ", ".join(finished.motions or authored())
            raise SvadError(texts.MOTION_UNKNOWN.format(name=motion, names=names))
        how = asked(camera, background, picture, size, fps, frames)
        *_, video = studio.move(finished, motion, how)
        return file_data(Path(str(video)))

    def follow(
        job: str,
        clip: dict,
        camera: str = "front",
        background: str = "studio",
        size: int = 720,
        fps: int = 0,
        frames: bool = False,
        picture: dict | None = None,
    ) -> dict:
        """Moves the avatar of a job as the person in a clip or in a motion's file does.

        Gives "video" and the motion, as SMPL-X parameters in "motion" (.npz) and as "bvh", and
        the avatar with it as a "mesh" (.glb).

        Args:
            job: the word that generate gave as "job"
            clip: an uploaded file as {"path": PATH}: a video, or a motion (.npz, .bvh, .glb, .vrma, .csv)
            camera: front, left, right, back, orbit (once around) or portrait (head and shoulders)
            background: studio, transparent, or a colour such as white or #20a040
            size: height in pixels: 480, 720 or 1080
            fps: frames a second: 24, 25, 30 or 60; 0 for those of the motion
            frames: every frame as a picture, in a .zip
            picture: an uploaded file as {"path": PATH}, in place of the background
        """  # noqa: E501
        how = asked(camera, background, picture, size, fps, frames)
        *_, made = studio.follow(newest(studio, job), uploaded(clip), how=how)
        assert isinstance(made, Followed)
        files = {"video": made.video, "motion": made.motion, "bvh": made.bvh, "mesh": made.mesh}
        return {name: file_data(path) for name, path in files.items()}

    def still(
        job: str,
        pose: dict,
        camera: str = "front",
        background: str = "studio",
        size: int = 720,
        picture: dict | None = None,
    ) -> dict:
        """Gives a picture (.png) of the finished avatar of a job in a pose and with an expression.

        Args:
            job: the word that generate gave as "job"
            pose: values of the viewer's sliders by name (turn, nod, arms, left_arm, right_arm in degrees; jaw, brows, smile in shares), or of ARKit's expressions, such as {"turn": 20, "left_arm": 90, "smile": 1}
            camera: front, left, right, back or portrait (head and shoulders)
            background: studio, transparent, or a colour such as white or #20a040
            size: height in pixels: 480, 720 or 1080
            picture: an uploaded file as {"path": PATH}, in place of the background
        """  # noqa: E501
        how = asked(camera, background, picture, size)
        *_, path = studio.still(newest(studio, job), numbers(pose), how)
        return file_data(Path(str(path)))

    for endpoint in (animate, follow, still):
        api(explained(endpoint), api_name=endpoint.__name__)


def numbers(pose: object) -> dict[str, float]:
    """Names and numbers; raises `SettingError` for anything else that JSON can hold."""
    if not isinstance(pose, dict):
        raise SettingError(texts.POSE_NEEDED)
    found = {}
    for name, value in pose.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not isinstance(name, str) or not number:
            raise SettingError(texts.POSE_NEEDED)
        try:
            found[name] = float(value)
        except OverflowError as error:  # a whole number of hundreds of digits
            raise SettingError(texts.POSE_NEEDED) from error
    return found
