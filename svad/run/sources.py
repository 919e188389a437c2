"""What a person sent: one photo, several photos, or a clip; read, told apart and hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from svad.config.preset import Preset
from svad.config.presets import CLIP, PHOTO_PRESETS, PRESETS, PREVIEW
from svad.core.errors import PhotoError, SettingError, SourceError
from svad.core.given import is_file
from svad.run.makers.builders import read_photo
from svad.types import Photo, Source
from svad.weights.store import sha256_of

Sent = Path | bytes  # a file, or the bytes of a photo
MOST = 4  # photos
WAYS = "Give one photo, two to four photos of the same person, or one clip"


def as_list(
    sent: Sent | Sequence[Sent],
) -> list[Sent]:
    """One or several, as a list; texts are paths."""
    several = [sent] if isinstance(sent, Path | bytes | str) else list(sent)
    return [one if isinstance(one, bytes) else Path(one) for one in several]


def read_source(sent: Sent | Sequence[Sent]) -> Source:
    """Photos, decoded and upright, or a clip, whose frames are not read yet.

    Raises `SourceError` for what does not go together, `PhotoError` for a photo and `VideoError`
    for a clip that cannot be used.
    """
    files = as_list(sent)
    if not files:
        raise SourceError(f"There is no picture. {WAYS}.")
    clips = [file for file in files if _is_clip(file)]
    if clips:
        return _read_clip(clips, len(files))
    if len(files) > MOST:
        raise SourceError(
            f"These are {len(files)} photos; at most {MOST} are used. Choose those that show the "
            "person from the front, from the back and from the sides, or record a clip."
        )
    if len(files) == 1:
        return Source(photos=(read_photo(files[0]),))
    photos = tuple(_read_named(file, place) for place, file in enumerate(files, 1))
    _require_different(photos, files)
    return Source(photos=photos)


def _read_clip(clips: Sequence[Sent], count: int) -> Source:
    if len(clips) > 1:
        raise SourceError(
            f"These are {len(clips)} clips; an avatar is made from one. Choose the one in which "
            "the person turns around."
        )
    if count > 1:
        raise SourceError(f"This is a clip beside {_photos(count - 1)}. {WAYS}, not both.")
    from svad.media.clips import clip_info

    clip = clips[0]
    assert isinstance(clip, Path)
    clip_info(clip)  # says what is wrong with a file that is damaged, too short or has no picture
    return Source(clip=clip)


def source_hash(source: Source) -> str:
    """What tells one source from another: of photos their pixels, of a clip its file's bytes."""
    if source.clip is not None:
        return sha256_of(source.clip)
    hashes = [photo_hash(photo) for photo in source.photos]
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()


def photo_hash(photo: Photo) -> str:
    """What tells one photo from another: its pixels, not its file."""
    state = hashlib.sha256(str(photo.rgb.shape).encode())
    state.update(photo.rgb.tobytes())
    if photo.alpha is not None:
        state.update(photo.alpha.tobytes())
    return state.hexdigest()


def is_one_photo(sent: Sent | Sequence[Sent]) -> bool:
    """Whether it is a single file that is no clip: the photo that most people send."""
    files = as_list(sent)
    return len(files) == 1 and not _is_clip(files[0])


def preset_for(sent: Sent | Sequence[Sent], chosen: str | None = None) -> Preset:
    """The preset that makes an avatar from what was sent, where none was chosen by name.

    Raises `SettingError` for a chosen one that takes something else.
    """
    photo = is_one_photo(sent)
    if chosen is None:
        return PREVIEW if photo else CLIP
    require_fitting(PRESETS[chosen], photo)
    return PRESETS[chosen]


def require_fitting(
    preset: Preset,
    photo: bool,  # whether one photo is all that was sent
) -> None:
    """Raises `SettingError` where a preset takes another number of pictures than were sent."""
    if photo and preset.footage is not None:
        raise SettingError(
            f"{preset.name} makes an avatar from a clip or from two to four photos; this is one "
            f"photo. Choose {_either(list(PHOTO_PRESETS))}."
        )
    if not photo and preset.footage is None:
        raise SettingError(
            f"{preset.name} makes its own frames from one photo. A clip or several photos take the "
            f"preset {CLIP.name}, which is chosen by itself."
        )


def _is_clip(file: Sent) -> bool:
    if isinstance(file, bytes) or not is_file(file):
        return False  # the reader of photos says what is wrong with it
    from svad.media.clips import is_clip

    return is_clip(file)


def _read_named(file: Sent, place: int) -> Photo:
    """One of several photos; what is wrong with it is said by its name."""
    try:
        return read_photo(file)
    except PhotoError as error:
        raise PhotoError(f"{_name(file, place)}: {error}") from error


def _require_different(photos: Sequence[Photo], files: Sequence[Sent]) -> None:
    seen: dict[str, int] = {}
    for place, photo in enumerate(photos):
        first = seen.setdefault(photo_hash(photo), place)
        if first != place:
            names = _name(files[first], first + 1), _name(files[place], place + 1)
            raise SourceError(
                f"{names[0]} and {names[1]} are the same photo. Leave one of them out: more "
                "photos help only where they show another side."
            )


def _name(file: Sent, place: int) -> str:
    return f"Photo {place}" if isinstance(file, bytes) else file.name


def _photos(count: int) -> str:
    return "a photo" if count == 1 else f"{count} photos"


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
