"""Pictures for people: skeletons, parsing colours, heat maps, difference maps and labelled grids.

Every README picture, training sample grid, contact sheet, notebook figure and the demo draw with these
functions. All take and give uint8 RGB pictures (H, W, 3) and need PIL alone; only `show_row` and `show_grid`
open matplotlib. The body's right side is warm (red, orange), its left side cool (blue, teal), the middle
yellow.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from pgt.data.parsing import COLORS
from pgt.data.person import signed_to_uint8
from pgt.data.pose import JOINTS, LIMBS, Pose

Picture = np.ndarray
Color = tuple[int, int, int]

WHITE: Color = (255, 255, 255)
INK: Color = (32, 34, 40)
_OUTLINE = (18, 20, 28, 190)
_SIDE_COLORS: dict[tuple[str, str], Color] = {
    ("right", "arm"): (255, 138, 48), ("right", "leg"): (226, 58, 66), ("right", "face"): (255, 190, 120),
    ("left", "arm"): (40, 190, 200), ("left", "leg"): (62, 98, 235), ("left", "face"): (140, 205, 250),
}  # fmt: skip
_LIMB_OF = {"shoulder": "arm", "elbow": "arm", "wrist": "arm", "eye": "face", "ear": "face"}


def _joint_color(name: str) -> Color:
    side, _, point = name.partition("_")
    return _SIDE_COLORS[side, _LIMB_OF.get(point, "leg")] if point else (250, 214, 60)


JOINT_COLORS: tuple[Color, ...] = tuple(_joint_color(name) for name in JOINTS)


def draw_skeleton(
    image: Picture | None,
    pose: Pose,
    *,
    thickness: float | None = None,
    opacity: float = 1.0,
    background: Color = INK,
) -> Picture:
    """Draw the visible limbs and joints of a pose, anti-aliased, right side warm and left side cool.

    Args:
        image: uint8 (H, W, 3) to draw over, or None for an empty picture of the pose's own size.
        pose: a pose in any frame; it is resized to the image's.
        thickness: width of a limb in pixels; by default 1/48 of the larger side.
        opacity: of the skeleton, 0 to 1.
        background: colour of the empty picture.

    Returns:
        uint8 (H, W, 3); the input is not changed.
    """
    canvas = np.full((*pose.image_size, 3), background, np.uint8) if image is None else image
    _check_picture(canvas)
    height, width = canvas.shape[:2]
    pose = pose.resized((height, width)) if pose.image_size != (height, width) else pose
    zoom = 4 if max(height, width) <= 512 else 2
    thickness = max(1.5, max(height, width) / 48) if thickness is None else thickness
    layer = Image.new("RGBA", (width * zoom, height * zoom), (0, 0, 0, 0))
    _draw_limbs(ImageDraw.Draw(layer), pose, zoom, thickness * zoom)
    layer = layer.reduce(zoom)
    if opacity < 1:
        layer.putalpha(layer.getchannel("A").point(lambda alpha: round(alpha * opacity)))
    base = Image.fromarray(canvas).convert("RGBA")
    return np.asarray(Image.alpha_composite(base, layer).convert("RGB"))


def _draw_limbs(draw: ImageDraw.ImageDraw, pose: Pose, zoom: int, thickness: float) -> None:
    """Draw on a canvas `zoom` times the pose's frame: outlines first, so that crossing limbs stay apart."""
    # a keypoint at pixel centre x lies at (x + 0.5) * zoom of the enlarged canvas
    points = [tuple(float(value) for value in point) for point in (pose.keypoints + 0.5) * zoom]
    limbs = [(a, b) for a, b in LIMBS if pose.visible[a] and pose.visible[b]]
    joints = [joint for joint in range(len(JOINTS)) if pose.visible[joint]]
    radius = thickness * 0.68
    outline = thickness * 0.16
    for a, b in limbs:
        _draw_capsule(draw, points[a], points[b], thickness / 2 + outline, _OUTLINE)
    for joint in joints:
        _draw_disc(draw, points[joint], radius + outline, _OUTLINE)
    for a, b in limbs:
        _draw_capsule(draw, points[a], points[b], thickness / 2, (*JOINT_COLORS[b], 255))
    for joint in joints:
        _draw_disc(draw, points[joint], radius, (*JOINT_COLORS[joint], 255))
        _draw_disc(draw, points[joint], radius * 0.42, (255, 255, 255, 255))


def _draw_capsule(draw: ImageDraw.ImageDraw, start: tuple, end: tuple, radius: float, color: tuple) -> None:
    draw.line([start, end], fill=color, width=max(1, round(2 * radius)))
    _draw_disc(draw, start, radius, color)
    _draw_disc(draw, end, radius, color)


def _draw_disc(draw: ImageDraw.ImageDraw, center: tuple, radius: float, color: tuple) -> None:
    x, y = center
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=color)


def color_parsing(label_map: np.ndarray, image: Picture | None = None, *, opacity: float = 0.6) -> Picture:
    """Paint a label map in the ten colours of `pgt.data.parsing.COLORS`.

    Args:
        label_map: (H, W) integers in 0..9.
        image: uint8 (H, W, 3) to tint; its background (label 0) stays as it is.
        opacity: of the tint, 0 to 1.

    Returns:
        uint8 (H, W, 3).
    """
    label_map = np.asarray(label_map)
    if label_map.ndim != 2 or not 0 <= int(label_map.min()) <= int(label_map.max()) < len(COLORS):
        raise ValueError(f"label_map must be (H, W) with labels 0..{len(COLORS) - 1}; got {label_map.shape}.")
    colors = np.asarray(COLORS, np.uint8)[label_map]
    if image is None:
        return colors
    _check_picture(image)
    weight = opacity * (label_map > 0)[..., None]
    return np.rint(image * (1 - weight) + colors * weight).astype(np.uint8)


def overlay_heatmaps(
    image: Picture | None, heatmaps: np.ndarray | Tensor, *, opacity: float = 0.85
) -> Picture:
    """Show the 18 heat maps of a pose over a dimmed picture, each in its joint's colour.

    Args:
        image: uint8 (H, W, 3), or None for black.
        heatmaps: (18, H, W) in [0, 1]; values below 0 (encodings that start at -1) count as 0.
        opacity: of a bump's peak, 0 to 1.

    Returns:
        uint8 (H, W, 3).
    """
    maps = np.clip(np.asarray(heatmaps, np.float32), 0, 1)
    if maps.ndim != 3 or len(maps) != len(JOINTS):
        raise ValueError(f"heatmaps must be ({len(JOINTS)}, H, W); got shape {maps.shape}.")
    base = np.zeros((*maps.shape[1:], 3), np.uint8) if image is None else image
    _check_picture(base)
    strongest = maps.argmax(0)
    weight = opacity * maps.max(0)[..., None]
    colors = np.asarray(JOINT_COLORS, np.float32)[strongest]
    return np.rint(base * 0.55 * (1 - weight) + colors * weight).astype(np.uint8)


def difference_picture(difference: np.ndarray | Tensor, *, gain: float = 1.0) -> Picture:
    """Show a signed difference map: grey where nothing changes, lighter where something is added.

    Args:
        difference: (3, H, W) in the units of [-1, 1] pictures.
        gain: multiplies the difference before drawing.

    Returns:
        uint8 (H, W, 3); 128 is zero, 0 and 255 are -1 and +1 after the gain.
    """
    values = np.asarray(difference, np.float32)
    if values.ndim != 3 or values.shape[0] != 3:
        raise ValueError(f"difference must be (3, H, W); got shape {values.shape}.")
    return np.clip(np.rint(128 + 127 * gain * values), 0, 255).astype(np.uint8).transpose(1, 2, 0)


def mask_picture(mask: np.ndarray | Tensor) -> Picture:
    """Show a (H, W) mask or map with values in [0, 1] as a uint8 grey picture (H, W, 3)."""
    values = np.clip(np.asarray(mask, np.float32), 0, 1)
    if values.ndim != 2:
        raise ValueError(f"mask must be (H, W); got shape {values.shape}.")
    return np.repeat(np.rint(255 * values).astype(np.uint8)[..., None], 3, axis=2)


def grid(
    rows: Sequence[Sequence[Picture | None]],
    *,
    row_titles: Sequence[str] | None = None,
    column_titles: Sequence[str] | None = None,
    title: str | None = None,
    cell_size: tuple[int, int] | None = None,
    margin: int = 4,
    font_size: int | None = None,
    background: Color = WHITE,
    ink: Color = INK,
) -> Picture:
    """Lay out pictures in rows and columns with titles.

    Args:
        rows: pictures uint8 (H, W, 3) of any sizes; None leaves a cell empty; rows may differ in length.
        row_titles: one per row, written to its left.
        column_titles: one per column, written above.
        title: one line above everything, set to the left.
        cell_size: (H, W) of a cell; by default the largest picture's. Pictures are fitted into their cell,
            keeping their proportions; whole-number enlargements repeat pixels, so that small pictures stay
            crisp.
        margin: pixels between cells and around everything.
        font_size: in pixels; by default it follows the cell's width.

    Returns:
        uint8 (H, W, 3).
    """
    pictures = [picture for row in rows for picture in row if picture is not None]
    if not pictures:
        raise ValueError("a grid needs at least one picture.")
    for picture in pictures:
        _check_picture(picture)
    if row_titles is not None and len(row_titles) != len(rows):
        raise ValueError(f"a grid of {len(rows)} rows needs as many row titles; got {len(row_titles)}.")
    height, width = cell_size or (max(p.shape[0] for p in pictures), max(p.shape[1] for p in pictures))
    font = ImageFont.load_default(size=font_size or min(22, max(11, width / 9)))
    heads = [_wrap(text, font, width) for text in column_titles or ()]
    labels = [_wrap(text, font, max(width, 72)) for text in row_titles or ()]
    num_columns = max([len(row) for row in rows] + [len(heads)])
    left = margin + (max(_text_size(label, font)[0] for label in labels) + 2 * margin if labels else 0)
    full_width = left + num_columns * (width + margin)
    title = _wrap(title, font, full_width - 2 * margin) if title else ""
    title_height = _text_size(title, font)[1] + margin if title else 0
    top = margin + title_height + (max(_text_size(h, font)[1] for h in heads) + margin if heads else 0)

    canvas = Image.new("RGB", (full_width, top + len(rows) * (height + margin)), background)
    draw = ImageDraw.Draw(canvas)
    draw.multiline_text((margin, margin), title, fill=ink, font=font)
    for column, text in enumerate(heads):
        middle = left + column * (width + margin) + width / 2
        draw.multiline_text((middle, top - margin), text, fill=ink, font=font, anchor="md", align="center")
    for row, text in enumerate(labels):
        middle = top + row * (height + margin) + height / 2
        draw.multiline_text(
            (left - 2 * margin, middle), text, fill=ink, font=font, anchor="rm", align="right"
        )
    for row, cells in enumerate(rows):
        for column, picture in enumerate(cells):
            if picture is not None:
                corner = (left + column * (width + margin), top + row * (height + margin))
                _paste_fitted(canvas, picture, corner, (height, width))
    return np.asarray(canvas)


def sample_grid(samples: Mapping[str, Tensor], *, max_rows: int = 8) -> Picture:
    """Lay out a batch of network pictures: one row per example, one titled column per name.

    Args:
        samples: name -> (B, 3, H, W) in [-1, 1].
        max_rows: at most so many examples are drawn.
    """
    columns = [signed_to_uint8(images[:max_rows].detach().float().cpu()) for images in samples.values()]
    rows = [[np.asarray(picture) for picture in row] for row in zip(*columns, strict=True)]
    return grid(rows, column_titles=[name.replace("_", " ") for name in samples])


def show_row(
    pictures: Sequence[Picture], titles: Sequence[str] | None = None, *, height: float = 2.4
) -> None:
    """Show pictures side by side in a notebook (matplotlib); `height` is in inches."""
    show_grid([pictures], column_titles=titles, height=height)


def show_grid(
    rows: Sequence[Sequence[Picture]],
    *,
    row_titles: Sequence[str] | None = None,
    column_titles: Sequence[str] | None = None,
    height: float = 2.0,
) -> None:
    """Show rows of pictures in a notebook (matplotlib); `height` of one row is in inches."""
    from matplotlib import pyplot

    num_columns = max(len(row) for row in rows)
    aspect = rows[0][0].shape[1] / rows[0][0].shape[0]
    size = (num_columns * height * aspect + (0.8 if row_titles else 0), len(rows) * height + 0.3)
    _, axes = pyplot.subplots(len(rows), num_columns, figsize=size, squeeze=False, layout="constrained")
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[], frame_on=False)
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            axes[row, column].imshow(picture, cmap="gray", interpolation="nearest")
    for axis, text in zip(axes[0], column_titles or (), strict=False):
        axis.set_title(text, fontsize=10)
    for axis, text in zip(axes[:, 0], row_titles or (), strict=False):
        axis.set_ylabel(text, fontsize=10)


def _check_picture(picture: Picture) -> None:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"a picture must be uint8 (H, W, 3); got {picture.dtype} {picture.shape}.")


def _paste_fitted(
    canvas: Image.Image, picture: Picture, corner: tuple[int, int], cell: tuple[int, int]
) -> None:
    """Paste a picture, enlarged or reduced to fit `cell` (H, W), centred in it."""
    height, width = picture.shape[:2]
    factor = min(cell[0] / height, cell[1] / width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if factor == 1:
        image = Image.fromarray(picture)
    else:
        whole = factor > 1 and float(factor).is_integer()
        image = Image.fromarray(picture).resize(
            size, Image.Resampling.NEAREST if whole else Image.Resampling.LANCZOS
        )
    canvas.paste(image, (corner[0] + (cell[1] - size[0]) // 2, corner[1] + (cell[0] - size[1]) // 2))


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """Break a title into lines that fit `width` pixels, at spaces only."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def _text_size(text: str, font: ImageFont.FreeTypeFont) -> tuple[int, int]:
    """Return the (width, height) of a text of one or several lines, in pixels, descenders included."""
    lines = text.split("\n")
    line_height = sum(font.getmetrics())
    return int(max(font.getlength(line) for line in lines)) + 1, int(len(lines) * (line_height + 4))
