"""The parts of the page that are plain HTML, with everything from outside escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from svad.config.preset import OWN_BODIES
from svad.config.presets import CLIP, PRESETS
from svad.export.row import Format
from svad.export.viewer_page import VIEWING
from svad.run.bodies import limits
from svad.run.costs import Cost
from svad.run.offers import Offer
from svad.ui import texts
from svad.ui.fetching import Fetching, FileState
from svad.ui.files import Shelf, address
from svad.ui.gallery import Finished
from svad.ui.sharing import token_of
from svad.weights.convert import in_words
from svad.weights.manifest import Entry


def header(hosted: bool, rasteriser: str) -> str:
    """The top of the page; `rasteriser` is the name of the one that draws here."""
    where = f"{texts.HOSTED if hosted else texts.LOCAL} {texts.RASTERISERS[rasteriser]}"
    return (
        f'<header class="top"><p class="brand">{escape(texts.TITLE)}</p>'
        f"<h1>{escape(texts.HEADLINE)}</h1><p>{escape(texts.LEAD)} {escape(where)}</p></header>"
    )


def tips() -> str:
    """What kind of photo or clip works best."""
    lines = (texts.TIPS, texts.TIPS_CLIP)
    return f'<div class="check tips">{"".join(f"<p>{escape(line)}</p>" for line in lines)}</div>'


def looking(seconds: float, share: float | None, note: str, ready: bool) -> str:
    """While the pictures are looked at; `share` is how far that is, if that is known."""
    text = texts.LOOKING if share is None else texts.LOOKING_THROUGH
    shown = text if ready else texts.LOADING
    return (
        f'<div class="check busy" data-say="{escape(text)}">'
        f"<h2>{escape(shown)}</h2>{_detail(note, seconds)}{_bar(shown, share)}</div>"
    )


def seen(warnings: tuple[str, ...], pictures: int, large: str) -> str:
    """What was understood of a photo, or of so many pictures, drawn at the address `large`."""
    text = texts.SEEN_WITH_WARNINGS if warnings else texts.SEEN
    if pictures:
        text = texts.SEEN_CLIP_WITH_WARNINGS if warnings else texts.SEEN_CLIP
        text = texts.SEEN_ONE if pictures == 1 and warnings else text.format(n=pictures)
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    say = " ".join((text, *warnings))
    legend = [(texts.LEGEND_LEFT, "left"), (texts.LEGEND_RIGHT, "right"), (texts.LEGEND_DIM, "")]
    link = ""
    if pictures:
        legend += [(texts.LEGEND_DIAL, "dial"), (texts.LEGEND_FRONT, "front")]
        words = f'title="{escape(texts.LARGE_ALT)}" target="_blank"'
        link = f'<p><a href="{escape(large)}" {words}>{escape(texts.LARGE)}</a></p>'
    marks = "".join(f'<span class="{kind}">{escape(words)}</span>' for words, kind in legend)
    return (
        f'<div class="check {"warn" if warnings else "good"}" data-say="{escape(say)}">'
        f"<h2>{escape(text)}</h2>{f'<ul>{items}</ul>' if items else ''}"
        f'<p class="legend">{marks}</p>{link}</div>'
    )


def problem(title: str, sentence: str, advice: str) -> str:
    """What is wrong, and what to do."""
    return (
        f'<div class="check bad" role="alert"><h2>{escape(title)}</h2>'
        f"<p>{escape(sentence)}</p><p>{escape(advice)}</p></div>"
    )


def offer(found: Offer, cost: Cost, hours: float) -> str:
    """What a preset gives, costs, where it runs, and which files it lacks with source and terms."""
    lines = [PRESETS[found.preset].note]
    if found.needs_gpu or found.here == "zero":
        # what is asked of a visitor's quota stands among the costs
        where = {"cpu": texts.ON_CPU, "gpu": texts.ON_GPU, "zero": ""}[found.here]
        lines.append(where if found.fits else texts.TOO_LONG)
    if PRESETS[found.preset].diffusion is not None:
        lines.append(texts.RESEARCH)
    html = f"<p>{escape(' '.join(lines))}</p><p>{escape(_costs(found, cost, hours))}</p>"
    if found.missing:
        return f'<div class="check bad offer">{html}{_missing(found)}</div>'
    if found.lacks:
        names = ", ".join(entry.base for entry in found.lacks)
        html += f"<p>{escape(texts.PRESET_LACKS.format(files=names))}</p>"
    slow = (found.needs_gpu and found.here == "cpu") or not found.fits
    return f'<div class="check {"warn" if slow else "tips"} offer">{html}</div>'


def _costs(found: Offer, cost: Cost, hours: float) -> str:
    """Seconds here, quota against what a visitor has, what is kept and how long."""
    lines = []
    if cost.seconds is not None:
        words = texts.TAKES if cost.runs else texts.TAKES_TABLE
        lines.append(words.format(s=texts.duration(cost.seconds)))
    elif found.here != "cpu" and not found.missing:
        lines.append(texts.TAKES_UNKNOWN)
    if cost.asks:
        daily = ", ".join(f"{texts.duration(s)} ({who})" for who, s in cost.daily.items())
        own = round(cost.asks / cost.factor)
        words = texts.ASKS.format(s=cost.asks, own=own, factor=cost.factor, daily=daily)
        lines.append(words)
    lines.append(texts.KEPT_FOR.format(hours=f"{hours:g}"))
    return " ".join(lines)


def better(found: Sequence[Offer], clip: bool) -> str:
    """What would make more of a finished avatar: further presets, and a clip or photos."""
    lines = []
    for one in found:
        preset, why = PRESETS[one.preset], ""
        if one.needs_gpu and one.here == "cpu":
            why = texts.BETTER_CPU
        elif one.missing:
            why = texts.BETTER_MISSING.format(n=len(one.missing))
        elif not one.fits:
            why = texts.TOO_LONG
        elif one.asks:
            why = texts.ON_ZERO.format(s=one.asks)
        lines.append((preset.title, f"{preset.note} {why}".strip()))
    if clip:
        lines.append((PRESETS[CLIP.name].title, texts.BETTER_CLIP))
    rows = "".join(f"<li><b>{escape(title)}</b> {escape(words)}</li>" for title, words in lines)
    return (
        f'<div class="check better"><h2>{escape(texts.BETTER)}</h2><ul>{rows}</ul>'
        f"<p>{escape(texts.BETTER_KEPT)}</p></div>"
    )


def side_by_side(made: Sequence[Finished], shelf: Shelf) -> str:
    """The turntables of several avatars, which the page keeps in step."""
    films = [
        video(one.turntable, texts.TURNTABLE.format(name=title), shelf, title)
        for one in made
        for title in [PRESETS[one.preset].title if one.preset in PRESETS else one.name]
    ]
    return f'<h2 class="side">{escape(texts.SIDE)}</h2><div class="beside">{"".join(films)}</div>'


def body_note(body: str) -> str:
    """What it means to stand on this body; nothing for the built-in one."""
    lines = [texts.OWN_BODY, *limits(body)] if body in OWN_BODIES else []
    if not lines:
        return ""
    return f'<div class="check warn offer"><p>{escape(" ".join(lines))}</p></div>'


def can_fetch(found: Offer) -> list[Entry]:
    """The files a preset reads and lacks that a program can fetch."""
    return [e for e in (*found.missing, *found.lacks) if e.online]


def fetching(preset: str, beat: Fetching) -> str:
    """A bar per file."""
    title = texts.FETCHING.format(name=PRESETS[preset].title)
    rows = "".join(map(_fetched_file, beat.files))
    return (
        f'<div class="check offer" data-say="{escape(title)}"><h2>{escape(title)}</h2>'
        f'<ol class="fetch">{rows}</ol><p>{escape(texts.FETCH_NOTE)}</p></div>'
    )


def _fetched_file(file: FileState) -> str:
    share = file.done / file.total if file.total else None
    amount = f"{in_words(file.done)} of {in_words(file.total)} {file.note}".strip()
    return (
        f'<li><p class="name"><b>{escape(file.name)}</b><i>{escape(amount)}</i></p>'
        f"{_bar(file.name, share)}</li>"
    )


def fetched(beat: Fetching) -> str:
    """How a download ended."""
    if beat.errors:
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in beat.errors)
        title = escape(texts.FETCH_FAILED)
        return f'<div class="check bad" role="alert"><h2>{title}</h2><ul>{items}</ul></div>'
    words = escape(texts.FETCH_STOPPED if beat.stopped else texts.FETCHED)
    kind = "warn" if beat.stopped else "good"
    return f'<div class="check {kind}" data-say="{words}"><p>{words}</p></div>'


def _missing(found: Offer) -> str:
    name, n = PRESETS[found.preset].title, len(found.missing)
    title = texts.PRESET_MISSING_ONE if n == 1 else texts.PRESET_MISSING
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in found.missing:
        groups.setdefault((entry.where, entry.terms), []).append(entry)
    rows = "".join(map(_missing_files, groups.values()))
    advice = [texts.FETCH.format(preset=found.preset)]
    if any(entry.gate == "accept-terms" for entry in found.missing):
        advice.append(texts.ACCEPT)
    if any(entry.gate == "user-supplied" for entry in found.missing):
        advice.append(texts.BRING)
    return (
        f"<h2>{escape(title.format(name=name, n=n))}</h2>"
        f"<p>{escape(' '.join(advice))}</p>"
        f"<details><summary>{escape(texts.PRESET_FILES)}</summary><ul>{rows}</ul></details>"
    )


def _missing_files(entries: list[Entry]) -> str:
    """Files of one source under the same terms."""
    first, names = entries[0], ", ".join(entry.base for entry in entries)
    address = first.where.split(" ")[0]
    words = [first.terms] + ([texts.BY_HAND] if first.gate == "user-supplied" else [])
    return (
        f'<li><b>{escape(names)}</b> <a href="{escape(address)}" rel="noreferrer" '
        f'target="_blank">{escape(first.repo or address)}</a> '
        f"<i>{escape('; '.join(words))}</i></li>"
    )


def terms(hours: float) -> str:
    """Consent and retention."""
    kept = texts.RETENTION.format(hours=f"{hours:g}")
    return f'<p class="terms">{escape(texts.CONSENT)} {escape(kept)}</p>'


def examples(all_of_them: dict[str, Finished], shown: str, shelf: Shelf) -> str:
    """One button per finished example."""
    if not all_of_them:
        return f'<p class="terms">{escape(texts.NO_EXAMPLES)}</p>'
    buttons = "".join(
        f'<button type="button" data-pick="{escape(name)}" '
        f'aria-pressed="{str(one.key == shown).lower()}">'
        f'<img src="{escape(shelf.url(one.photo))}" alt=""><span>{escape(one.name)}</span></button>'
        for name, one in all_of_them.items()
        if one.photo is not None
    )
    return f'<h2 class="side">{escape(texts.EXAMPLES)}</h2><div class="examples">{buttons}</div>'


def heading(finished: Finished | None) -> str:
    """Whose avatar is shown."""
    if finished is None:
        return f'<div class="who"><h2>{escape(texts.NOTHING_YET)}</h2></div>'
    example = finished.key.startswith("example:")
    small = f"<p>{escape(texts.EXAMPLE_OF)}</p>" if example else ""
    made = texts.MADE_FROM.format(what=finished.source)
    if finished.seconds is not None:
        made = texts.MADE_IN.format(s=f"{finished.seconds:.0f}", what=finished.source)
    if finished.preset in PRESETS:
        made = f"{PRESETS[finished.preset].title} · {made}"
    return (
        f'<div class="who">{small}<h2>{escape(finished.name)}</h2><span>{escape(made)}</span></div>'
    )


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


def files(finished: Finished | None, shelf: Shelf, hours: float) -> str:
    """Every file of an avatar with what it is good for, and the link to come back."""
    if finished is None:
        return f'<div class="empty"><p>{escape(texts.NOTHING_YET)}</p></div>'
    rows = "".join(_file(path, shelf) for path in finished.downloads)
    html = f'<div class="files"><p>{escape(texts.FILES_LEAD)}</p><ul>{rows}</ul>'
    if finished.terms:
        html += f"<h3>{escape(texts.TERMS_TITLE)}</h3>"
        html += "".join(f'<p class="terms">{escape(line)}</p>' for line in finished.terms)
    job = job_of(finished.key)
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


def job_of(key: str) -> str:
    """The id of the job in the key of a visitor's own avatar; "" for others."""
    kind, _, name = key.partition(":")
    return name.partition("/")[0] if kind == "job" else ""


def mark(job: str, forget: str = "") -> str:
    """Tells the page's script which job is open, and which is gone and not to be remembered."""
    return f'<i hidden data-job="{escape(job)}" data-forget="{escape(forget)}"></i>'


def last() -> str:
    """The way back to the last avatar; the script shows it where the browser remembers one."""
    return (
        f'<div class="check last" hidden><p>{escape(texts.LAST)}</p><p>'
        f'<a href="?">{escape(texts.LAST_OPEN)}</a> '
        f'<button type="button" class="copy" data-forget-last>{escape(texts.LAST_FORGET)}</button>'
        f"</p></div>"
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


def hint(text: str) -> str:
    """A quiet sentence."""
    return f'<div class="empty"><p>{escape(text)}</p></div>'


def busy(text: str, seconds: float, share: float | None, note: str = "") -> str:
    """Something is being made; `share` is how far it is, if that is known."""
    return (
        f'<div class="empty" data-say="{escape(text)}"><p>{escape(text)}</p>'
        f"{_bar(text, share)}{_detail(note, seconds)}</div>"
    )


def _bar(label: str, share: float | None) -> str:
    value = "" if share is None else f' value="{share:.3f}"'
    return f'<progress max="1"{value} aria-label="{escape(label)}"></progress>'


def _detail(note: str, seconds: float) -> str:
    return f"<p>{escape(' · '.join(filter(None, (note, f'{seconds:.0f} s'))))}</p>"


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
