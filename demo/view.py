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

# name of a metric -> (heading, digits, whether more is better)
METRICS = {
    "ssim": ("SSIM ↑", 3, True),
    "foreground_l1": ("Person L1 ↓", 3, False),
    "psnr": ("PSNR ↑", 1, True),
}


def picture_address(image: np.ndarray, kind: str = "PNG") -> str:
    """Return a uint8 (H, W, 3) picture as a data address; "JPEG" is smaller and meant for looking only."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(
        buffer, kind, **({"quality": 88} if kind == "JPEG" else {"compress_level": 3})
    )
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def figure(image: np.ndarray, caption: str, note: str = "", *, large: bool = False) -> str:
    """Return one captioned picture; `note` is a second, quieter line."""
    height, width = image.shape[:2]
    text = f"<b>{escape(caption)}</b>" + (f"<span>{escape(note)}</span>" if note else "")
    return (
        f'<figure class="pgt-figure{" pgt-large" if large else ""}"><img src="{picture_address(image)}" '
        f'alt="{escape(caption)}" style="aspect-ratio: {width} / {height}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def strip(figures: Iterable[str]) -> str:
    """Lay figures out side by side, as many as fit."""
    return f'<div class="pgt-strip">{"".join(figures)}</div>'


def result(image: np.ndarray, facts: Iterable[str]) -> str:
    """Return the drawn picture with its facts and its download link."""
    address = picture_address(image)
    height, width = image.shape[:2]
    chips = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    return (
        f'<figure class="pgt-figure pgt-large"><img src="{address}" alt="The person in the new pose" '
        f'style="aspect-ratio: {width} / {height}"><figcaption class="pgt-facts">{chips}'
        f'<a href="{address}" download="person.png" class="pgt-download">Download</a></figcaption></figure>'
    )


def score_table(scores: Mapping[str, Mapping[str, float]]) -> str:
    """Return a table of method -> metric -> value, the best of each column in bold."""
    names = [name for name in METRICS if all(name in row for row in scores.values())]
    best = {}
    for name in names:
        values = [row[name] for row in scores.values()]
        best[name] = max(values) if METRICS[name][2] else min(values)
    head = "".join(f"<th>{METRICS[name][0]}</th>" for name in names)
    rows = []
    for method, row in scores.items():
        cells = "".join(_cell(row[name], METRICS[name][1], row[name] == best[name]) for name in names)
        rows.append(f"<tr><th scope='row'>{escape(method)}</th>{cells}</tr>")
    body = f"<thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<table class="pgt-scores">{body}</table>'


def _cell(value: float, digits: int, best: bool) -> str:
    text = "∞" if value == float("inf") else f"{value:.{digits}f}"
    return f"<td>{f'<b>{text}</b>' if best else text}</td>"


def example_cards(examples: Iterable[tuple[np.ndarray, int, str, str]]) -> str:
    """Return buttons, one per (picture, number of the person, scene, name of the pose)."""
    cards = [
        f'<button type="button" data-index="{index}" aria-label="Example: person {seed}, {escape(pose)}">'
        f'<img src="{picture_address(image, "JPEG")}" alt="">{escape(pose)}</button>'
        for index, (image, seed, _, pose) in enumerate(examples)
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
