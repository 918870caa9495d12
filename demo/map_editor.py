"""The map editor: a Gradio component whose value is a semantic map, uint8 (H, W) of the ten labels.

A `gr.HTML` with a fixed template; `map_editor.js` paints on a canvas and replaces the value once per stroke.
Between page and server a map travels as runs of equal labels, row by row: "0*431 3*12" is 431 pixels of
background, then 12 of upper clothes. What a browser sends is under a visitor's control: `preprocess` checks
it all, and handlers get a valid map.

Events beside Gradio's own: `release` (a stroke or another edit is finished) and `premade` (a ready-made edit
is wanted; the event carries its `name`). `initial` and `pictures` can be changed by `gr.update`.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import gradio as gr
import numpy as np

from pgt.data.parsing import COLORS, LABELS

HERE = Path(__file__).parent
MAX_SIDE = 1024  # pixels: no map is larger
RUNS = re.compile(r"[0-9]\*[0-9]{1,7}(?: [0-9]\*[0-9]{1,7})*")
LONGEST_RUN = 4  # characters that a pixel takes at most: "3*1 "

Value = dict[str, object]


class MapEditor(gr.HTML):
    """Paint, fill, undo and reset the ten labels of a map, alone or over a picture."""

    def __init__(
        self,
        value: np.ndarray | None = None,
        *,
        initial: Value | None = None,
        pictures: Mapping[str, str] | None = None,
        edits: Sequence[str] = (),
        **settings,
    ) -> None:
        """Show `value`.

        Args:
            value: the map to begin with; None: nothing can be painted yet.
            initial: what "reset" goes back to, from `map_to_value`; by default `value`.
            pictures: addresses of the pictures that may lie under the map: "source" and "result".
            edits: names of the ready-made edits, behind one click each.
            settings: of `gr.HTML`, for example `elem_id`.
        """
        # Without attributes of these names Gradio would take them for events, since the script quotes them.
        self.initial, self.pictures, self.edits = initial, dict(pictures or {}), list(edits)
        super().__init__(
            value=value,
            html_template=(HERE / "map_editor.html").read_text(encoding="utf-8"),
            css_template=(HERE / "map_editor.css").read_text(encoding="utf-8"),
            js_on_load=(HERE / "map_editor.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            palette=palette(),
            pictures=self.pictures,
            edits=self.edits,
            initial=initial or (map_to_value(value) if value is not None else None),
            **settings,
        )

    def preprocess(self, payload: Value | None) -> np.ndarray:
        """Check what the browser sent; a bad map gives the visitor one sentence."""
        try:
            return value_to_map(payload)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    def postprocess(self, value: np.ndarray | Value | None) -> Value | None:
        """Turn a map into what the page draws."""
        return map_to_value(value) if isinstance(value, np.ndarray) else value

    def api_info(self) -> dict:
        """Describe the value to API clients."""
        return {
            "type": "object",
            "properties": {
                "image_size": {"type": "array", "items": {"type": "integer"}, "description": "height, width"},
                "runs": {"type": "string", "description": "label*pixels, row by row, separated by spaces"},
            },
            "required": ["image_size", "runs"],
        }

    def example_payload(self) -> Value:
        """Give API clients a map to begin with: background alone."""
        return map_to_value(np.zeros((128, 128), np.uint8))

    def example_value(self) -> Value:
        """Give documentation the same map."""
        return self.example_payload()


def label_name(label: int) -> str:
    """Return the name of a label as people read it."""
    return LABELS[label].replace("_", " ").capitalize()


def palette() -> list[dict[str, object]]:
    """Return what the page must know of each label: its name and its colour (red, green, blue)."""
    return [{"name": label_name(label), "color": color.tolist()} for label, color in enumerate(COLORS)]


def map_to_value(label_map: np.ndarray) -> Value:
    """Encode a map (H, W) as runs of equal labels."""
    flat = np.asarray(label_map).ravel()
    starts = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [flat.size]])
    runs = [f"{flat[start]}*{length}" for start, length in zip(starts[:-1], np.diff(starts), strict=True)]
    return {"image_size": list(label_map.shape), "runs": " ".join(runs)}


def value_to_map(value: object) -> np.ndarray:
    """Check and read a value from a browser or an API client.

    Returns:
        uint8 (H, W) of the labels 0 to 9.

    Raises:
        ValueError: one sentence, for anything but runs that fill a map of sensible size exactly.
    """
    if not isinstance(value, dict):
        raise ValueError("There is no map: send image_size [height, width] and runs such as 0*431 3*12.")
    size, runs = value.get("image_size"), value.get("runs")
    if not isinstance(size, list) or [type(side) for side in size] != [int, int]:
        raise ValueError("The map's image_size must be two whole numbers, height and width.")
    height, width = size
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
        raise ValueError(f"Each side of a map has 1 to {MAX_SIDE} pixels; got {width} x {height}.")
    if not isinstance(runs, str) or len(runs) > LONGEST_RUN * height * width or not RUNS.fullmatch(runs):
        raise ValueError("The map's runs must be written as label*pixels, for example 0*431 3*12.")
    pairs = [run.split("*") for run in runs.split(" ")]
    lengths = np.array([int(length) for _, length in pairs])
    if lengths.min() < 1 or lengths.sum() != height * width:
        raise ValueError(
            f"The map's runs cover {lengths.sum()} pixels, but {width} x {height} has {height * width}."
        )
    return np.repeat(np.array([int(label) for label, _ in pairs], np.uint8), lengths).reshape(height, width)
