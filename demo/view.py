"""The demo's pictures and numbers as HTML: figures, strips of figures, the score table, the badges.

Pictures travel inside the page as data addresses: of a visitor's photo nothing but the upload itself, which
Gradio keeps for under an hour, is written to a disk.
Every text that is not a literal of ours goes through `escape`.
"""

import base64
import io
from collections.abc import Iterable, Mapping
from html import escape

import numpy as np
from PIL import Image

from pgt.data.parsing import COLORS, LABELS

# name of a metric -> (heading, digits, whether more is better)
METRICS = {
    "ssim": ("SSIM ↑", 3, True),
    "foreground_l1": ("Person L1 ↓", 3, False),
    "psnr": ("PSNR ↑", 1, True),
}
REGION_METRICS = {"foreground_ssim": ("SSIM ↑", 3, True), "foreground_l1": ("L1 ↓", 3, False)}


def picture_address(image: np.ndarray, kind: str = "PNG") -> str:
    """Return a uint8 (H, W, 3) picture as a data address; "JPEG" is smaller and meant for looking only."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(
        buffer, kind, **({"quality": 88} if kind == "JPEG" else {"compress_level": 3})
    )
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def figure(image: np.ndarray, caption: str, note: str = "", *, large: bool = False, over: str = "") -> str:
    """Return one captioned picture; `note` is a second, quieter line, `over` an SVG to lie over it."""
    height, width = image.shape[:2]
    text = f"<b>{escape(caption)}</b>" + (f"<span>{escape(note)}</span>" if note else "")
    return (
        f'<figure class="pgt-figure{" pgt-large" if large else ""}"><div><img src="{picture_address(image)}" '
        f'alt="{escape(caption)}" style="aspect-ratio: {width} / {height}">{over}</div>'
        f"<figcaption>{text}</figcaption></figure>"
    )


def source(image: np.ndarray, synthetic: bool) -> str:
    """Return the picture of who is drawn."""
    caption, remark = ("Synthetic person", "not seen in training") if synthetic else ("Your photo", "")
    return figure(image, caption, remark, large=True)


def marked(image: np.ndarray, points: np.ndarray, caption: str, note: str, *, closed: bool) -> str:
    """Return a large figure with points (N, 2), (x, y) in its pixels, marked: as dots, or as one outline."""
    height, width = image.shape[:2]
    places = [(float(x) + 0.5, float(y) + 0.5) for x, y in points]
    if closed:
        marks = f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>'
    else:
        marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{width / 70:.1f}"/>' for x, y in places)
    drawing = f'<svg viewBox="0 0 {width} {height}" aria-hidden="true">{marks}</svg>'
    return figure(image, caption, note, large=True, over=drawing)


def strip(figures: Iterable[str]) -> str:
    """Lay figures out side by side, as many as fit."""
    return f'<div class="pgt-strip">{"".join(figures)}</div>'


def grid(cells: Iterable[str]) -> str:
    """Lay out what several approaches made of the same."""
    return f'<div class="pgt-all">{"".join(cells)}</div>'


def labelled(image: np.ndarray, name: str, time: str, trained_on: str) -> str:
    """Return a picture with who drew it, how long that took, and what it was trained on."""
    height, width = image.shape[:2]
    quick = f'<span class="pgt-time">{escape(time)}</span>' if time else ""
    return (
        f'<figure class="pgt-figure"><img src="{picture_address(image)}" alt="{escape(name)}" '
        f'style="aspect-ratio: {width} / {height}"><figcaption>{quick}<b>{escape(name)}</b>'
        f'<span class="pgt-data">{escape(trained_on)}</span></figcaption></figure>'
    )


def series(pictures: Iterable[tuple[np.ndarray, str, str]]) -> str:
    """Return pictures that follow one another, such as rounds or levels; nothing for a single one."""
    figures = [figure(*picture) for picture in pictures]
    return f'<div class="pgt-series">{strip(figures)}</div>' if len(figures) > 1 else ""


def result(image: np.ndarray, facts: Iterable[str], caption: str) -> str:
    """Return the drawn picture with its facts and its download link; `caption` is for those who hear it."""
    address = picture_address(image)
    height, width = image.shape[:2]
    chips = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    return (
        f'<figure class="pgt-figure pgt-large"><img src="{address}" alt="{escape(caption)}" '
        f'style="aspect-ratio: {width} / {height}"><figcaption class="pgt-facts">{chips}'
        f'<a href="{address}" download="person.png" class="pgt-download">Download</a></figcaption></figure>'
    )


def score_table(
    scores: Mapping[str, Mapping[str, float]], metrics: Mapping[str, tuple[str, int, bool]] = METRICS
) -> str:
    """Return a table of method -> metric -> value, the best of each column in bold."""
    names = [name for name in metrics if all(name in row for row in scores.values())]
    best = {}
    for name in names:
        values = [row[name] for row in scores.values()]
        best[name] = max(values) if metrics[name][2] else min(values)
    head = "".join(f"<th>{metrics[name][0]}</th>" for name in names)
    rows = []
    for method, row in scores.items():
        cells = "".join(_cell(row[name], metrics[name][1], row[name] == best[name]) for name in names)
        rows.append(f"<tr><th scope='row'>{escape(method)}</th>{cells}</tr>")
    body = f"<thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<table class="pgt-scores">{body}</table>'


def region_table(scores: Mapping[str, Mapping[str, float]]) -> str:
    """Return a table of scores that count some regions of a person alone."""
    return f"<div>{score_table(scores, REGION_METRICS)}{note('inside the clothes in question')}</div>"


def _cell(value: float, digits: int, best: bool) -> str:
    text = "∞" if value == float("inf") else f"{value:.{digits}f}"
    return f"<td>{f'<b>{text}</b>' if best else text}</td>"


def waiting(words: str = "Drawing …") -> str:
    """Return what stands where a picture will be."""
    return f'<div class="pgt-waiting" role="status">{escape(words)}</div>'


def empty(words: str) -> str:
    """Return what stands where a picture could be."""
    return f'<div class="pgt-empty">{escape(words)}</div>'


def frame(image: np.ndarray, words: str, share: float) -> str:
    """Return a frame of a film that is being drawn, and how far it has come."""
    height, width = image.shape[:2]
    return (
        f'<figure class="pgt-figure pgt-large"><img src="{picture_address(image, "JPEG")}" alt="" '
        f'style="aspect-ratio: {width} / {height}"><figcaption><progress value="{share:.3f}"></progress>'
        f'<span role="status">{escape(words)}</span></figcaption></figure>'
    )


def film(
    mp4: bytes | None, gif: bytes, size: tuple[int, int], facts: Iterable[str], notes: Iterable[str]
) -> str:
    """Return a film of `size` (H, W) that plays, with its facts and its downloads; without mp4, the GIF."""
    shape, moving = f'style="aspect-ratio: {size[1]} / {size[0]}"', _address(gif, "image/gif")
    links = [f'<a href="{moving}" download="film.gif" class="pgt-download">GIF</a>']
    if mp4 is None:
        shown = f'<img src="{moving}" alt="The film" {shape}>'
    else:
        address = _address(mp4, "video/mp4")
        shown = f'<video src="{address}" {shape} autoplay loop muted playsinline controls></video>'
        links.insert(0, f'<a href="{address}" download="film.mp4" class="pgt-download">MP4</a>')
    chips = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    return (
        f'<figure class="pgt-figure pgt-large pgt-film">{shown}<figcaption class="pgt-facts">{chips}'
        f'<span class="pgt-links">Download {"".join(links)}</span></figcaption></figure>'
        + "".join(note(words[:1].upper() + words[1:] + ".") for words in notes)
    )


def _address(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def steps(pictures: Iterable[tuple[np.ndarray, str, str]], *, legend: bool = False) -> str:
    """Return the steps of a drawing side by side, and what the colours of maps mean if there are any."""
    figures = strip(figure(*picture) for picture in pictures)
    return figures + (label_legend() if legend else "")


def label_legend() -> str:
    """Return the names of the ten labels beside their colours."""
    entries = "".join(
        f'<span><i style="background: rgb({red}, {green}, {blue})"></i>{name.replace("_", " ")}</span>'
        for name, (red, green, blue) in zip(LABELS, COLORS.tolist(), strict=True)
    )
    return f'<p class="pgt-legend">{entries}</p>'


def example_cards(examples: Iterable[tuple[np.ndarray, object, str]]) -> str:
    """Return buttons, one per (picture, number of the person, what is done with it)."""
    cards = [
        f'<button type="button" data-index="{index}" '
        f'aria-label="Example: person {escape(str(who))}, {escape(name)}">'
        f'<img src="{picture_address(image, "JPEG")}" alt="">{escape(name)}</button>'
        for index, (image, who, name) in enumerate(examples)
    ]
    return f'<h3>Examples</h3><div class="pgt-examples">{"".join(cards)}</div>'


def note(text: str) -> str:
    """Return a quiet paragraph."""
    return f'<p class="pgt-note">{escape(text)}</p>'


def header(title: str, subtitle: str, badges: Iterable[str]) -> str:
    """Return the head of the page."""
    chips = "".join(f"<span>{escape(text)}</span>" for text in badges)
    return (
        f'<header class="pgt-header"><div><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></div>'
        f'<div class="pgt-badges">{chips}</div></header>'
    )
