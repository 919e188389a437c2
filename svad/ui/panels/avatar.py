"""A finished avatar as HTML: its views, its motions and its files."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from svad.config.presets import PRESETS
from svad.export.row import Format
from svad.export.viewer_page import VIEWING
from svad.ui import texts
from svad.ui.files import Shelf, address
from svad.ui.gallery import Finished, own_job
from svad.ui.sharing import token_of

SHOWN = "shown"  # the id of the heading, to which a link leads


def unfinished() -> str:
    """The heading while a visitor's avatar is being made, or was stopped."""
    return _who("", texts.YOUR_AVATAR, texts.NOT_FINISHED)


def _who(kind: str, name: str, made: str) -> str:
    small = f"<p>{escape(kind)}</p>" if kind else ""
    words = f"<span>{escape(made)}</span>" if made else ""
    return (
        f'<div class="who" id="{SHOWN}" tabindex="-1">{small}<h2>{escape(name)}</h2>{words}</div>'
    )


def heading(finished: Finished | None) -> str:
    """Whose avatar is shown."""
    if finished is None:
        return _who("", texts.NOTHING_YET, "")
    example = finished.key.startswith("example:")
    made = texts.MADE_FROM.format(what=finished.source)
    if finished.seconds is not None:
        made = texts.MADE_IN.format(s=f"{finished.seconds:.0f}", what=finished.source)
    if finished.preset in PRESETS:
        made = f"{PRESETS[finished.preset].title} · {made}"
    return _who(texts.EXAMPLE_OF if example else "", finished.name, made)


def video(path: Path | None, label: str, shelf: Shelf, caption: str = "", poster: str = "") -> str:
    """A looping, silent video with a caption."""
    if path is None:
        return f'<div class="empty"><p>{escape(texts.NO_VIDEO)}</p></div>'
    still = f' poster="{escape(poster)}"' if poster else ""
    words = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure class="screen"><video src="{escape(shelf.url(path))}" '
        f'aria-label="{escape(label)}" autoplay loop muted playsinline controls{still}></video>'
        f"{words}</figure>"
    )


def viewer(finished: Finished, shelf: Shelf) -> str:
    """The 3D view, a small page of its own in a frame."""
    if finished.viewer is None and finished.moving is None:
        return f'<div class="empty"><p>{escape(texts.NO_VIEWER)}</p></div>'
    label = texts.VIEWER.format(name=finished.name)
    query = f"title={quote(label)}"
    for name, path in (("rig", finished.moving), ("splat", finished.viewer)):
        if path is not None:
            query += f"&{name}={quote(str(shelf.publish(path)))}"
            break
    if finished.turntable is not None:
        query += f"&video={quote(str(shelf.publish(finished.turntable)))}"
    caption = texts.VIEWER_CAPTION if finished.moving is None else texts.VIEWER_MOVES
    page = f"{address(VIEWING / 'index.html')}?{query}"
    return (
        f'<figure class="screen"><iframe class="viewer" src="{escape(page)}" '
        f'title="{escape(label)}" allow="fullscreen"></iframe>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def side_by_side(made: Sequence[Finished], shelf: Shelf) -> str:
    """The turntables of several avatars, which the page keeps in step."""
    films = [
        video(one.turntable, texts.TURNTABLE.format(name=title), shelf, title)
        for one in made
        for title in [PRESETS[one.preset].title if one.preset in PRESETS else one.name]
    ]
    return f'<h2 class="side">{escape(texts.SIDE)}</h2><div class="beside">{"".join(films)}</div>'


def in_the_view(motion: Path | None) -> str:
    """A button that plays a motion in the 3D view; nothing where that does not move."""
    if motion is None:
        return ""
    return (
        f'<p><button type="button" class="copy" data-motion="{escape(str(motion))}">'
        f"{escape(texts.MOTION_IN_VIEW)}</button></p>"
    )


def motion_files(paths: Sequence[Path], warnings: tuple[str, ...], shelf: Shelf) -> str:
    """Links to a motion as files, and what is to be known of it."""
    lines = "".join(f'<p class="terms">{escape(warning)}</p>' for warning in warnings)
    links = " · ".join(
        f'<a href="{escape(shelf.url(path))}" download="{escape(path.name)}">'
        f"{escape(_file_words(path).format(ending=path.suffix))}</a>"
        for path in paths
    )
    return f'{lines}<p class="terms">{links}</p>'


def _file_words(path: Path) -> str:
    return texts.MOTION_MESH if path.suffix == ".glb" else texts.MOTION_FILE


def files(finished: Finished | None, shelf: Shelf, hours: float) -> str:
    """Every file of an avatar with what it is good for, and the link to come back."""
    if finished is None:
        return f'<div class="empty"><p>{escape(texts.NOTHING_YET)}</p></div>'
    rows = "".join(_file(path, shelf) for path in finished.downloads)
    html = f'<div class="files"><p>{escape(texts.FILES_LEAD)}</p><ul>{rows}</ul>'
    if finished.terms:
        html += f"<h3>{escape(texts.TERMS_TITLE)}</h3>"
        html += "".join(f'<p class="terms">{escape(line)}</p>' for line in finished.terms)
    job = own_job(finished.key)
    return f"{html}{_links(job, hours) if job else ''}</div>"


def _file(path: Path, shelf: Shelf) -> str:
    size = path.stat().st_size
    amount = f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
    words = texts.FILES.get(path.name, "")
    lacks = texts.NOT_IN_IT.format(what=texts.FILES_LACK.get(path.name, ""))
    return (
        f'<li><a href="{escape(shelf.url(path))}" download="{escape(path.name)}">'
        f'{escape(path.name)}</a><span title="{escape(lacks)}">{escape(words)}</span>'
        f"<i>{amount}</i></li>"
    )


def exported(path: Path, row: Format, shelf: Shelf) -> str:
    """The link to a file that was made for another program, and what is not in it."""
    lacks = texts.NOT_IN_IT.format(what=row.loses)
    return (
        f'<div class="files" data-say="{escape(path.name)}"><ul>{_file(path, shelf)}</ul>'
        f'<p class="terms">{escape(lacks)}</p></div>'
    )


def _links(job: str, hours: float) -> str:
    """The visitor's own link, and those for others."""
    token, kept = token_of(job), f"{hours:g}"
    rows = [
        (texts.LINK_TITLE, texts.LINK_NOTE.format(hours=kept), f"?job={quote(job)}"),
        (texts.SHARE, texts.SHARE_NOTE.format(hours=kept), f"share/{token}"),
    ]
    html = "".join(
        f"<h3>{escape(title)}</h3><p>{escape(words)}</p>"
        f'<p><button type="button" class="copy" data-copy="{link}" '
        f'data-done="{escape(texts.LINK_COPIED)}">{escape(texts.LINK_COPY)}</button></p>'
        for title, words, link in rows
    )
    posts = ((texts.SHARE_PICTURE, "picture.jpg"), (texts.SHARE_CLIP, "clip.mp4"))
    links = " · ".join(
        f'<a href="share/{token}/{name}" download="avatar-{name}">{escape(words)}</a>'
        for words, name in posts
    )
    return f"{html}<p>{links}</p>"
