"""What SPT can do beside poses, without any page: edited maps, swapped clothes, garments tried on.

As `studio.py`: every method validates, calls the library and returns plain values, and anything that a
visitor can get wrong is a `ValueError` of one sentence. Everything is in SPT's frame.
"""

import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image
from steps import Step
from studio import NO_MAP, SPLIT, Lend, Subject, checked_seed

from pgt.applications import (
    Redrawn,
    dress_to_pants,
    lengthen_sleeves,
    pants_to_skirt,
    paste_product,
    redraw,
    score_region,
    set_sleeves,
    shorten_sleeves,
    transfer_clothing_texture,
    try_on_product,
    try_on_style,
)
from pgt.applications.drawing import CLOTHES, checked_label_map
from pgt.data.parsing import LABELS
from pgt.data.person import Person
from pgt.data.pose import JOINTS, Pose
from pgt.photos import open_photo
from pgt.plot import color_parsing, mask_picture
from pgt.predictor import Predictor, fit_person
from pgt.synthetic.outfits import TEXTURES, dressed, dressed_as
from pgt.synthetic.people import render_people
from pgt.synthetic.products import Product, product_picture, style_swatch
from pgt.synthetic.wardrobe import Identity

UPPER, PANTS, SKIRT = CLOTHES
FACE, ARMS = LABELS.index("face"), (LABELS.index("left_arm"), LABELS.index("right_arm"))
SKIN = (FACE, *ARMS, LABELS.index("left_leg"), LABELS.index("right_leg"))
REGIONS = {"Upper clothes": UPPER, "Pants": PANTS, "Skirt": SKIRT}  # shown -> label
EDITS = {
    "Shorter sleeves": shorten_sleeves,
    "Longer sleeves": lengthen_sleeves,
    "Dress to pants": dress_to_pants,
    "Pants to skirt": pants_to_skirt,
}
WHERE = {"Only what changed": "changed", "The whole person": "person"}  # shown -> `where` of `redraw`
TABLE_SIZE = (256, 256)  # (H, W) of pictures of products and cloth
CLOTH_SIDE = 512  # pixels: a visitor's picture of cloth is reduced to this, light to show
TRUNK = ("right_shoulder", "left_shoulder", "left_hip", "right_hip")
LEGS = ("right_hip", "left_hip", "left_ankle", "right_ankle")


@dataclass(frozen=True, eq=False)
class Made:
    """A picture and how long it took."""

    result: Redrawn
    milliseconds: float


@dataclass(frozen=True, eq=False)
class Garment:
    """What somebody tries on: a product with its mask and landmarks, or a styled image."""

    image: np.ndarray  # uint8 (h, w, 3)
    label: int  # of the region it goes onto
    name: str
    product: Product | None = None
    corners: np.ndarray | None = None  # (4, 2), of a styled image; None: of the whole picture


class Tailor:
    """SPT's applications on a studio's subjects.

    Args:
        predictor: of an `SPTGenerator`.
        lend: wraps what computes on the device, for example `spaces.GPU`.
    """

    def __init__(self, predictor: Predictor, lend: Lend = lambda work: work) -> None:
        self.predictor = predictor
        self.size: tuple[int, int] = predictor.image_size
        self._apply = lend(self._run)
        self._lay_out = lru_cache(maxsize=64)(_product)

    def _run(self, application, *arguments: object, **settings: object):
        return application(self.predictor, *arguments, **settings)

    def _timed(self, application, *arguments: object, **settings: object) -> tuple:
        start = time.perf_counter()
        result = self._apply(application, *arguments, **settings)
        return result, 1000 * (time.perf_counter() - start)

    def person(self, subject: Subject) -> Person:
        """Return a subject in SPT's frame.

        Raises:
            ValueError: a photo whose semantic map could not be found, or shows nobody.
        """
        if subject.person.label_map is None:
            raise ValueError(NO_MAP)
        if not subject.person.label_map.any():
            raise ValueError("The human parser finds nobody in this photo, so there is no map to work with.")
        return fit_person(subject.person, self.size)

    # Edited maps ------------------------------------------------------------------------------------------

    def edited(self, name: object, label_map: np.ndarray, pose: Pose) -> np.ndarray:
        """Apply one of `EDITS` to a map.

        Raises:
            ValueError: an unknown edit, a limb that is not seen, or nothing that would change.
        """
        if not isinstance(name, str) or name not in EDITS:
            raise ValueError(f"The edit must be one of {', '.join(EDITS)}.")
        changed = EDITS[name](label_map, pose)
        if np.array_equal(changed, label_map):
            raise ValueError(f"“{name}” changes nothing on this map.")
        return changed

    def redraw(self, subject: Subject, label_map: np.ndarray, where: str, *, tint: bool = True) -> Made:
        """Draw a subject by another map.

        Args:
            subject: who.
            label_map: uint8 (H, W), the map to follow.
            where: one of `WHERE`.
            tint: show the network the person as `tinted` does (ours).
        """
        if not isinstance(where, str) or where not in WHERE:
            raise ValueError(f"What is redrawn must be one of {', '.join(WHERE)}.")
        person = self.person(subject)
        if not tint:
            return Made(*self._timed(redraw, person, label_map, where=WHERE[where]))
        result, milliseconds = self._timed(redraw, tinted(person, label_map), label_map)
        image, mask = result.image, result.mask
        if WHERE[where] == "changed":
            changed = label_map != person.label_map
            image, mask = np.where(changed[..., None], image, person.image), mask & changed
        return Made(replace(result, image=image, mask=mask, base=person.image), milliseconds)

    # Swapped clothes --------------------------------------------------------------------------------------

    def swap(self, first: Subject, second: Subject, regions: object) -> tuple[Made, Made]:
        """Exchange the textures of two subjects inside regions named as in `REGIONS`."""
        labels = checked_regions(regions)
        people = self.person(first), self.person(second)
        results, milliseconds = self._timed(transfer_clothing_texture, *people, labels=labels)
        return tuple(Made(result, milliseconds) for result in results)

    def swap_truth(self, subject: Subject, other: Subject, regions: object) -> Person | None:
        """Render a synthetic subject in the other's cloth; None where that has no one meaning.

        A dress is one garment of one cloth, so it has no cloth for the other's top and bottom.
        """
        if not (subject.is_synthetic and other.is_synthetic):
            return None
        own, others = subject.specs[0].identity, other.specs[0].identity
        if own.dress or others.dress:
            return None
        labels = checked_regions(regions)
        bottom = SKIRT if own.bottom.kind == "skirt" else PANTS
        taken = [name for name in TEXTURES if (bottom if name.startswith("bottom") else UPPER) in labels]
        return self._dressed(subject, replace(own, **{name: getattr(others, name) for name in taken}))

    def _dressed(self, subject: Subject, identity: Identity) -> Person:
        return render_people([dressed(subject.specs[0], identity)], self.size)[0]

    # Garments ---------------------------------------------------------------------------------------------

    def product(self, seed: object) -> Garment:
        """Lay the top of an identity flat, by its number."""
        return self._lay_out(checked_seed(seed))

    def clothes_of(self, subject: Subject, region: str) -> Garment:
        """Take what somebody else wears as a styled image, its corners from the joints.

        Raises:
            ValueError: an unknown region, or one that this person does not show.
        """
        person, (label,) = self.person(subject), checked_regions([region])
        if not (person.label_map == label).any():
            raise ValueError(f"The other person shows no {region.lower()}.")
        return Garment(
            person.image, label, f"{region} of another person", corners=corners_of(person.pose, label)
        )

    def cloth(self, seed: object, picture: str | Path | None, region: str) -> Garment:
        """Take a piece of cloth, by its number or as a picture of the visitor's."""
        (label,) = checked_regions([region])
        if picture is not None:
            image = Image.fromarray(open_photo(picture))
            image.thumbnail((CLOTH_SIDE, CLOTH_SIDE))
            return Garment(np.asarray(image), label, "Your picture")
        return Garment(style_swatch(checked_seed(seed), TABLE_SIZE), label, "Cloth")

    def try_on(self, subject: Subject, garment: Garment, *, cut: bool = True, align: bool = False) -> Made:
        """Dress a subject in a garment.

        Args:
            subject: who tries it on.
            garment: what.
            cut: bring the sleeves of the person's map to the length of the product's first.
            align: move the product under the person first.
        """
        person = self.person(subject)
        product = garment.product
        if product is None:
            given = person, garment.image
            return Made(*self._timed(try_on_style, *given, corners=garment.corners, label=garment.label))
        layout = sleeves_of(product, person) if cut else None
        given = person, product.image, product.mask, product.landmarks
        return Made(*self._timed(try_on_product, *given, label_map=layout, align=align))

    def pasted(self, subject: Subject, product: Product) -> np.ndarray:
        """Try on without learning: the baseline."""
        given = self.person(subject), product.image, product.mask, product.landmarks
        return paste_product(*given, self.size)

    def product_truth(self, subject: Subject, product: Product) -> Person | None:
        """Render a synthetic subject in a product; None for photos, and for dresses, which change more."""
        if not subject.is_synthetic or subject.specs[0].identity.dress or product.identity.dress:
            return None
        return self._dressed(subject, dressed_as(subject.specs[0].identity, product.identity))


def _product(seed: int) -> Garment:
    product = product_picture(seed, TABLE_SIZE, split=SPLIT)
    kind = "Dress" if product.identity.dress else "Top"
    return Garment(product.image, product.label, f"{kind} of person {seed}", product)


def tinted(person: Person, label_map: np.ndarray) -> Person:
    """Relabel and colour what an edited map changes, as if the person already looked that way.

    With the pose kept, SPT's skips bring every pixel of the source to its own place, so that the network is
    inclined to copy what it sees. Clothes take the mean colour of their region, skin that of the arms or the
    face; a garment that becomes another one keeps its cloth. What becomes background stays as it is.
    """
    label_map = checked_label_map(label_map, person.image_size)
    image, own = person.image.copy(), person.label_map
    changed = (label_map != own) & (label_map > 0)
    for label in np.unique(label_map[changed]):
        here = changed & (label_map == label)
        known = own == label
        if label in CLOTHES and not known.any():
            known = here & np.isin(own, CLOTHES)
            here = here & ~known
        elif label in SKIN:
            known = np.isin(own, ARMS) if np.isin(own, ARMS).any() else own == FACE
        if known.any():
            image[here] = np.rint(person.image[known].mean(axis=0))
    return replace(person, image=image, label_map=np.where(label_map > 0, label_map, own))


def checked_regions(regions: object) -> tuple[int, ...]:
    """Return the labels of regions named as in `REGIONS`, or raise a ValueError of one sentence."""
    known = f"choose among {', '.join(REGIONS)}."
    if not isinstance(regions, list | tuple) or not regions:
        raise ValueError(f"No region is chosen; {known}")
    if not all(isinstance(region, str) and region in REGIONS for region in regions):
        raise ValueError(f"There is no such region; {known}")
    return tuple(REGIONS[region] for region in regions)


def corners_of(pose: Pose, label: int) -> np.ndarray:
    """Return the corners (4, 2) between which a person wears a garment: see `try_on_style`.

    Raises:
        ValueError: joints are missing.
    """
    names = TRUNK if label == UPPER else LEGS
    index = [JOINTS.index(name) for name in names]
    if not pose.visible[index].all():
        parts = "shoulders and hips" if label == UPPER else "hips and ankles"
        raise ValueError(f"The other person's {parts} are not all in the picture.")
    right_up, left_up, left_down, right_down = pose.keypoints[index].astype(np.float64)
    beside = 0.0 if label == UPPER else 0.5  # legs hang a quarter of the width inside the corners
    up, down = beside * (right_up - left_up), beside * (right_down - left_down)
    return np.stack([right_up + up, left_up - up, left_down - down, right_down + down])


def sleeves_of(product: Product, person: Person) -> np.ndarray | None:
    """Return the person's map with sleeves as long as the product's; None where no arm can be seen."""
    try:
        return set_sleeves(person.label_map, person.pose, min(1.0, product.identity.top.sleeve))
    except ValueError:
        return None


def scores_of(pictures: dict[str, np.ndarray], truth: Person, labels: tuple[int, ...]) -> dict:
    """Score pictures inside regions of the truth: method -> metric -> value."""
    return {
        name: {score: float(value.mean) for score, value in score_region(picture, truth, labels).items()}
        for name, picture in pictures.items()
    }


def composition(result: Redrawn) -> list[Step]:
    """Return how a result came about, from the map on."""
    return [
        (color_parsing(result.label_map), "Map to follow", "ten labels: what goes where"),
        (result.drawn, "Drawn", "by the foreground network, from that map"),
        (mask_picture(result.mask), "Mask", "white is taken from the drawing"),
        (result.image, "Result", "everything else is the picture as it was"),
    ]
