"""How the avatar is matched to the photo in closed form, and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass, replace

from svad.config.limits import HEAVIEST, RATE, SEEDS, SHARE, WEIGHT
from svad.core.ranges import Checked, one_of, within

STARTS = ("relief", "body")  # first guesses of a training


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Checked):
    """The training of an avatar on frames and photo; rates are Adam's, a step each.

    The defaults are for frames that are to be believed; `GENERATED` is for those of a video model.
    """

    steps: int = within(2000, 1, 1_000_000)
    batch: int = within(1, 1, 256)  # pictures a step
    seed: int = within(0, *SEEDS)
    height: int = within(540, 32, 4096)  # px, of the frames
    small_until: float = within(0.35, *SHARE)  # part of the steps at half that size
    # the first guess: "relief" = the preview's cloud, "body" = the body
    start: str = one_of("relief", STARTS)
    first_gaussians: int = within(60_000, 1, 10_000_000)  # until `grow_at`
    # at most, in the end: what is more goes where the photo shows it
    gaussians: int = within(180_000, 1, 10_000_000)
    grow_at: float = within(0.5, *SHARE)  # part of the steps
    slow_from: float = within(0.6, *SHARE)  # part of the steps after which rates are a third
    slowest_from: float = within(0.85, *SHARE)  # a tenth
    photo: float = within(0.2, 0, 0.99)  # part of the steps that draw the photo
    # of those at a tenth of the rates, if the photo is drawn at all: what it tells finer than the
    # frames is learned while they hold the rest
    photo_last: float = within(0.55, 0, 0.99)
    # of the photo's height: so near its outline it moves the avatar less, until the last part
    photo_band: float = within(0.003, *SHARE)
    photo_outline: float = within(0.1, *SHARE)  # by this factor
    tint: bool = True  # frames first get the photo's colour balance
    # pictures drawn to find how the photo held its head; 0 = it is as its fit says
    head_steps: int = within(200, 0, 100_000)
    offset_rate: float = within(5e-4, *RATE)  # metres
    color_rate: float = within(8e-3, *RATE)
    size_rate: float = within(8e-3, *RATE)  # of the logarithm
    opacity_rate: float = within(8e-3, *RATE)
    joint_rate: float = within(3e-4, *RATE)  # metres, of the rest joints
    # Of the network of what poses change (SVAD, Eq. 10); 0 = none. Over one turn it learns what
    # photo and frames differ in, and costs 0.8 dB in held-out views and 1.2 in new poses.
    coefficients: int = within(0, 0, 64)
    corrective_rate: float = within(2e-4, *RATE)  # of that network
    rotation_rate: float = within(4e-3, *RATE)  # radians, of each frame's pose
    shift_rate: float = within(2e-3, *RATE)  # metres
    # Weights of the mean squares of Laplacians (SVAD, Eq. 11) and of the distance to the first
    # guess, next to .8 L1 + .2 (1 - SSIM) of a picture.
    smooth_offsets: float = within(1e3, *WEIGHT)
    head_smooth: float = within(4.0, *WEIGHT)  # times as much on the head
    smooth_sizes: float = within(0.02, *WEIGHT)
    smooth_colors: float = within(0.02, *WEIGHT)
    stay: float = within(0.5, *WEIGHT)
    stay_head: float = within(2.0, *WEIGHT)
    stay_hands: float = within(20.0, *WEIGHT)
    stay_joints: float = within(0.1, *WEIGHT)
    stay_correctives: float = within(1e-3, *WEIGHT)
    hand_colour: float = within(0.02, *WEIGHT)  # of a hand's colours to their mean
    lpips: float = within(0.1, *WEIGHT)  # of the perceptual loss, where its files are here
    # every so many frames only tell when to stop; 0 = none
    holdout: int = within(12, 2, 1000, or_zero=True)
    few: int = within(0, 0, 1000)  # of fewer frames less is learned: `for_frames`
    # times the median error: frames that miss the avatar by more are given up
    robust: float = within(1.8, 1, 1000)

    def for_frames(self, count: int) -> TrainConfig:
        """The settings for so many frames.

        A few photos leave most of the sides unseen. What is not seen must not be pulled along:
        shorter, slower in shape, and held more to the first guess and to the neighbours.
        """
        if count >= self.few:
            return self
        return replace(
            self,
            steps=min(self.steps, 400),
            offset_rate=self.offset_rate / 5,
            size_rate=0.0,
            opacity_rate=0.0,
            color_rate=self.color_rate / 2,
            joint_rate=0.0,
            smooth_offsets=min(4 * self.smooth_offsets, HEAVIEST),
            smooth_colors=min(4 * self.smooth_colors, HEAVIEST),
            stay=min(4 * self.stay, HEAVIEST),
            photo=0.4,
            gaussians=max(self.gaussians, 180_000),
        )

    def photo_share(self, part: float) -> float:
        """The part of the steps that draw the photo, after a part of all steps."""
        if not self.photo or part < self.slowest_from:
            return self.photo
        return max(self.photo, self.photo_last)

    def falling(self, part: float) -> float:
        """The factor on all rates after a part of the steps."""
        return 1.0 if part < self.slow_from else 0.3 if part < self.slowest_from else 0.1


# Generated frames do not know the person: the photo is drawn as often as all of them together
# (PERSONA, section 3.3), with Gaussians as fine as its pixels, and most often in the last part.
GENERATED = TrainConfig(steps=1200, photo=0.5, photo_last=0.85)


@dataclass(frozen=True, kw_only=True)
class AvatarConfig(Checked):
    """From the clip to the finished Gaussians."""

    silhouette_rounds: int = within(20, 0, 1000)  # rim splats move to the matte's edge
    colour_rounds: int = within(11, 0, 1000)  # colours take the photo's
    # generated frames that what the photo does not show takes its colours from
    frames: int = within(0, 0, 1000)
    frame_rounds: int = within(3, 0, 1000)
    train: TrainConfig | None = None  # what follows the closed form
