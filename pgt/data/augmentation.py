"""Making pictures of synthetic people as various as photographs: colours, faults of cameras, backgrounds.

What belongs to the scene (light, colours, background) changes source and target alike. What a camera does
wrong (blur, noise, JPEG) changes only the source: a target spoilt by chance cannot be foretold, and who
learns from it draws blur.

Everything follows from a seed and the number of the pair, so a continued training sees the same pictures.
"""

import io
from dataclasses import dataclass, fields, replace

import numpy as np
from PIL import Image, ImageFilter

from pgt.data.pairs import PairDataset
from pgt.data.person import Pair, Person
from pgt.data.unpaired import Pictures

# NTSC's luma and chroma: hue is an angle in the plane of the last two, saturation a length.
_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_SOFT_EDGE = 0.8  # pixels: standard deviation of the blur of a mask's edge, which was antialiased once


@dataclass(frozen=True)
class Augmentation:
    """How far pictures are changed; 0 (of `jpeg_quality`: 100) leaves something as it is.

    Raises:
        ValueError: a number outside its range.
    """

    brightness: float = 0.12  # largest shift either way, as a share of white
    contrast: float = 0.25  # largest change of the factor on distances from mid-grey
    saturation: float = 0.35  # likewise on distances from grey
    hue: float = 0.02  # largest turn either way, in full turns
    white_balance: float = 0.1  # largest change of the factors on red and on blue
    blur: float = 0.01  # largest standard deviation, in heights of the picture
    noise: float = 0.03  # largest standard deviation, as a share of white
    jpeg_quality: int = 40  # lowest quality, 1 to 100
    fault_share: float = 0.3  # of pairs, how many get each of blur, noise and JPEG
    background_share: float = 0.4  # of pairs, how many get another background
    studio_share: float = 0.5  # of those, how many a plain one, as in a shop; all if none are given

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            low, high = (1, 100) if entry.name == "jpeg_quality" else (0, 1)
            if not low <= value <= high:
                raise ValueError(f"{entry.name} of an augmentation is {low} to {high}, not {value}.")


AUGMENTATIONS = {
    "colour": Augmentation(fault_share=0, background_share=0),
    "photo": Augmentation(),
}


class AugmentedPairs:
    """Pairs, each changed in its own way; a `PairDataset`.

    A blank picture (nobody's, see `pgt.data.unpaired`) stays blank, and nobody without a label map or mask
    gets another background.

    Args:
        pairs: of synthetic people.
        augmentation: how far they are changed.
        backgrounds: pictures without people; without them new backgrounds are plain.
        seed: of all draws.
    """

    def __init__(
        self,
        pairs: PairDataset,
        augmentation: Augmentation,
        backgrounds: Pictures | None = None,
        *,
        seed: int = 0,
    ) -> None:
        self.pairs, self.augmentation, self.backgrounds, self.seed = pairs, augmentation, backgrounds, seed

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Pair:
        pair, rng = self.pairs[index], np.random.default_rng((self.seed, index % len(self)))
        people = [pair.source, pair.target]
        if rng.random() < self.augmentation.background_share:
            background = self._background(pair.source.image_size, rng)
            people = [before(person, background) for person in people]
        change = draw_colours(self.augmentation, rng)
        source, target = (_recoloured(person, *change) for person in people)
        if source.image.any():
            source = replace(source, image=spoil(source.image, self.augmentation, rng))
        return replace(pair, source=source, target=target)

    def _background(self, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        if not self.backgrounds or rng.random() < self.augmentation.studio_share:
            return studio(size, rng)
        return window(self.backgrounds[int(rng.integers(len(self.backgrounds)))], size, rng)


def before(person: Person, background: np.ndarray) -> Person:
    """Put a person before another background, uint8 (h, w, 3); its frame is stretched to the person's."""
    mask = person.person_mask if person.label_map is None else person.label_map > 0
    if mask is None or not person.image.any():
        return person
    size = person.image_size
    if background.shape[:2] != size:
        background = np.asarray(Image.fromarray(background).resize(size[::-1], Image.Resampling.BILINEAR))
    soft = Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(_SOFT_EDGE))
    # Soft only inwards: at the mask's edge, and beyond it, something of the old background shows.
    opacity = ((3 * np.asarray(soft, np.float32) / 255 - 2).clip(0, 1) * mask)[..., None]
    image = np.rint(opacity * person.image + (1 - opacity) * background).astype(np.uint8)
    return replace(person, image=image, background=background)


def studio(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Paint a plain, mostly light background that darkens a little towards one end, uint8 (H, W, 3)."""
    lightness, tint = 255 * rng.beta(4, 1.3), rng.normal(0, 6, 3)
    shade = np.linspace(0, rng.uniform(-40, 40), size[0])[:, None, None]
    return np.broadcast_to((lightness + tint + shade).clip(0, 255), (*size, 3)).astype(np.uint8)


def window(picture: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Cut a window in the proportions of `size` (H, W) out of a picture, by chance, and resize it."""
    height, width = picture.shape[:2]
    scale = rng.uniform(0.6, 1) * min(height / size[0], width / size[1])
    down, across = (max(1, int(side * scale)) for side in size)
    top, left = (int(rng.integers(room + 1)) for room in (height - down, width - across))
    box = (left, top, left + across, top + down)
    cut = Image.fromarray(picture).resize(size[::-1], Image.Resampling.BILINEAR, box=box)
    return np.asarray(cut)


def draw_colours(augmentation: Augmentation, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw a change of light and colours: matrix (3, 3) and shift (3,) of RGB values from 0 to 255."""

    def factor(reach: float) -> float:
        return 1 + float(rng.uniform(-reach, reach))

    angle = 2 * np.pi * (factor(augmentation.hue) - 1)
    saturation, contrast = factor(augmentation.saturation), factor(augmentation.contrast)
    cosine, sine = saturation * np.cos(angle), saturation * np.sin(angle)
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    gains = np.diag([factor(augmentation.white_balance), 1, factor(augmentation.white_balance)])
    matrix = contrast * gains @ np.linalg.inv(_TO_YIQ) @ turn @ _TO_YIQ
    shift = 127.5 * (1 - contrast) + 255 * (factor(augmentation.brightness) - 1)
    return matrix.astype(np.float32), np.full(3, shift, np.float32)


def _recoloured(person: Person, matrix: np.ndarray, shift: np.ndarray) -> Person:
    if not person.image.any():
        return person

    def change(image: np.ndarray) -> np.ndarray:
        return np.rint(image.astype(np.float32) @ matrix.T + shift).clip(0, 255).astype(np.uint8)

    background = None if person.background is None else change(person.background)
    return replace(person, image=change(person.image), background=background)


def spoil(image: np.ndarray, augmentation: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Add what cameras do wrong to a picture uint8 (H, W, 3), in their order: blur, then noise, then JPEG."""
    blurred, noisy, compressed = rng.random(3) < augmentation.fault_share
    if blurred and augmentation.blur:
        radius = rng.uniform(0, augmentation.blur) * image.shape[0]
        image = np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))
    if noisy and augmentation.noise:
        noise = rng.normal(0, 255 * rng.uniform(0, augmentation.noise), image.shape)
        image = np.rint(image + noise).clip(0, 255).astype(np.uint8)
    if compressed and augmentation.jpeg_quality < 100:
        file = io.BytesIO()
        quality = int(rng.integers(augmentation.jpeg_quality, 96))  # beyond 95 files only grow
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        with Image.open(file) as picture:
            image = np.array(picture)
    return image
