"""What is said of pictures that cannot be used, or only partly."""

from __future__ import annotations

from collections.abc import Sequence

NOBODY = (
    "No person was found in the clip. Please film one person, well lit, from head to feet, who "
    "turns around once."
)
NO_TURN = (
    "Nobody turns around in the clip, so its best frame is used as a photo: sides and back are "
    "guesses. For real ones, film somebody who turns around once."
)
NO_BACK = "The back is not seen in the clip; it is a guess."
HALF_TURN = "The person is not seen from all sides; those that are missing are guesses."
NO_BACK_PHOTO = "No photo shows the back; it is a guess."
OTHERS_PHOTO = "More than one person is in a photo; the largest one is taken."


def nobody_in(number: int) -> str:
    """A photo shows nobody."""
    return (
        f"No person was found in photo {number}. Please use photos in which one person, well lit, "
        "can be seen from head to feet."
    )


def unlike(numbers: Sequence[int], front: int) -> str:
    """Some photos seem to show somebody else."""
    which = " and ".join(str(number) for number in numbers)
    verb = "shows" if len(numbers) == 1 else "show"
    return (
        f"Photo {which} {verb} other colours than photo {front}: the avatar will be wrong unless "
        "all photos are of one person in the same clothes."
    )


def leaves(missed: int, total: int) -> str:
    """Too few frames show the person."""
    return (
        f"The person is missing in {missed} of {total} frames that were looked at. Please film so "
        "that one person stays in the picture from head to feet."
    )


def left_out(missed: int) -> str:
    """Some frames do not show the person."""
    return f"The person was not found in {missed} frame{'s' * (missed > 1)}, which are left out."
