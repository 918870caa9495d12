"""Virtual try-on of product pictures and styled images (Song et al., TPAMI 2021, section 4.4, Figs. 20, 21).

The appearance encoder is given the product as if it were a person: its picture I_c, its map S_c (the label of
the try-on region where the product is) and its landmarks p_c as joints. So the deformable skips carry collar
to shoulders, elbow to elbow, sleeve end to wrist and hem to hips; the paper does not say which channels the
landmarks take, this is our choice. The result keeps everything outside the region:
I_out = I'_out x M_f + I_t x M_b.

Ours, off by default: `align` moves the product under the person by one affine map first, for the coarse
levels without deformable skips; and joints that the product is known to have may be given by their own names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pgt.applications.drawing import (
    CLOTHES,
    Look,
    Redrawn,
    checked_generator,
    checked_label_map,
    checked_person,
    draw_foreground,
    fitted,
    joined,
)
from pgt.applications.manipulation import redraw
from pgt.data.parsing import LABELS
from pgt.data.person import Person, signed_to_uint8, uint8_to_signed
from pgt.data.pose import JOINTS, NUM_JOINTS, Pose
from pgt.geometry import fit_affine, invert_affine, resize_points, transform_points, warp_affine
from pgt.models.spt import SPTGenerator
from pgt.predictor import Predictor, fit_person

UPPER = LABELS.index("upper_clothes")
SIDES = ("left", "right")
# A landmark of the paper -> the joint it stands for; (s, t) of a styled image -> the joint put there.
LANDMARK_JOINTS = {"collar": "shoulder", "elbow": "elbow", "sleeve_end": "wrist", "hem": "hip"}
_TRUNK = {"right_shoulder": (0, 0), "left_shoulder": (1, 0), "right_hip": (0, 1), "left_hip": (1, 1)}
_LEGS = {
    f"{side}_{name}": (s, t)
    for side, s in (("right", 0.25), ("left", 0.75))
    for name, t in (("hip", 0), ("knee", 0.5), ("ankle", 1))
}


def try_on_product(
    model: SPTGenerator | Predictor,
    person: Person,
    picture: np.ndarray,
    mask: np.ndarray,
    landmarks: Mapping[str, Sequence[float]],
    *,
    label: int = UPPER,
    label_map: np.ndarray | None = None,
    align: bool = False,
) -> Redrawn:
    """Dress a person in the garment of a product picture.

    Args:
        model: an SPT generator with any weights, put into evaluation mode, or its predictor.
        person: who tries it on, with a semantic map, in a picture of any size.
        picture: uint8 (h, w, 3) of the product, of any size.
        mask: bool (h, w), where the product is.
        landmarks: see `landmark_pose`; (x, y) in pixels of `picture`.
        label: of the try-on region, in the person's map and as the product's own label.
        label_map: (H, W) of the person's picture: the layout wanted where the product is cut otherwise than
            what the person wears (for example `edits.set_sleeves`). The person is first redrawn by it where
            it differs, so that bared arms are the person's own.
        align: first move the product under the person (ours).

    Returns:
        The result in the model's frame; outside the try-on region it is the person's picture, or with
        `label_map` the redrawn one.

    Raises:
        ValueError: one sentence: a wrong model, person, picture, mask, landmark, label or map, or a map
            without the try-on region.
    """
    generator = checked_generator(model)
    product = _fitted_product(picture, mask, landmarks, _checked_cloth(label), generator.config.image_size)
    if align:
        product = _aligned(product, fitted(checked_person(person), generator).pose)
    return _try_on(generator, person, product, label, label_map)


def try_on_style(
    model: SPTGenerator | Predictor,
    person: Person,
    picture: np.ndarray,
    *,
    corners: Sequence[Sequence[float]] | None = None,
    label: int = UPPER,
    label_map: np.ndarray | None = None,
) -> Redrawn:
    """Transfer a styled image onto the clothes of a person.

    Args:
        model: an SPT generator with any weights, put into evaluation mode, or its predictor.
        person: with a semantic map, in a picture of any size.
        picture: uint8 (h, w, 3), any picture; cut to the proportions of the model's frame around its centre.
        corners: (4, 2), p_c: (x, y) pixels of the picture that come to lie on the region's upper left, upper
            right, lower right and lower left, as seen; those of the cut picture by default. For upper clothes
            they are the torso's corners; for pants and skirts the legs hang between the upper and the lower
            two.
        label: of the try-on region.
        label_map: as in `try_on_product`.

    Returns:
        As `try_on_product`.

    Raises:
        ValueError: one sentence, as `try_on_product`; also for corners of another shape.
    """
    generator = checked_generator(model)
    size = generator.config.image_size
    image, given = _cut_to(_checked_picture(picture, "the styled image"), corners, size)
    style = Person(image, _corner_pose(given, _checked_cloth(label), size), np.full(size, label, np.uint8))
    return _try_on(generator, person, style, label, label_map)


def paste_product(
    person: Person,
    picture: np.ndarray,
    mask: np.ndarray,
    landmarks: Mapping[str, Sequence[float]],
    size: tuple[int, int],
    *,
    label: int = UPPER,
) -> np.ndarray:
    """Try on without learning, the baseline: one least-squares affine map, mean colour where it leaves gaps.

    Args:
        person, picture, mask, landmarks, label: as in `try_on_product`.
        size: (H, W) of the result.

    Returns:
        uint8 (*size, 3).

    Raises:
        ValueError: as `try_on_product`; also if fewer than three landmarks have a visible joint.
    """
    shown = _checked_mask(mask, _checked_picture(picture, "the product"))
    if not shown.any():
        raise ValueError("the mask of the product is empty.")
    mean = np.rint(picture[shown].mean(axis=0)).astype(np.uint8)
    # The mean colour also takes the place of the table, so that no rim of it comes along.
    cloth = np.where(shown[..., None], picture, mean)
    one = fit_person(checked_person(person), size)
    moved = _aligned(_fitted_product(cloth, mask, landmarks, _checked_cloth(label), size), one.pose, mean)
    return np.where((one.label_map == label)[..., None], moved.image, one.image)


def landmark_pose(landmarks: Mapping[str, Sequence[float]], image_size: tuple[int, int]) -> Pose:
    """Read clothing landmarks as the joints they stand for: p_cl of section 4.4.

    Args:
        landmarks: "left_collar", "right_collar", "left_hem", "right_hem", and where there are sleeves
            "left_elbow", "left_sleeve_end", ... -> (x, y) pixels; left and right are the wearer's. A sleeve
            that ends before the elbow has no wrist, and without a landmark for the elbow its end stands for
            it. Where a joint itself is known ("left_shoulder", "left_wrist", "left_hip", ...) it takes the
            place of its landmark.
        image_size: (H, W) of the product's picture.

    Raises:
        ValueError: one sentence: an unknown name, no position, or no collar or hem on either side.
    """
    joint_names = set(LANDMARK_JOINTS.values())
    known = {f"{side}_{name}" for side in SIDES for name in (*LANDMARK_JOINTS, *joint_names)}
    points: dict[str, np.ndarray] = {}
    for name, place in landmarks.items():
        if name not in known:
            raise ValueError(f"there is no clothing landmark {name!r}; there are {', '.join(sorted(known))}.")
        point = np.asarray(place, np.float64)
        if point.shape != (2,) or not np.isfinite(point).all():
            raise ValueError(f"the landmark {name} must be (x, y) in pixels; got {place}.")
        points[name] = point
    keypoints, visible = np.zeros((NUM_JOINTS, 2)), np.zeros(NUM_JOINTS, bool)
    for side in SIDES:
        for name, point in _side_joints(points, side).items():
            index = JOINTS.index(f"{side}_{name}")
            keypoints[index], visible[index] = point, True
    trunk = [JOINTS.index(name) for name in _TRUNK]
    if not visible[trunk].all():
        raise ValueError("a product needs the landmarks of both collars and both hems.")
    return Pose(keypoints, visible, image_size)


def _side_joints(points: Mapping[str, np.ndarray], side: str) -> dict[str, np.ndarray]:
    """Return the joints of one side that its landmarks give."""
    own = {name: points.get(f"{side}_{name}") for name in LANDMARK_JOINTS}
    if own["sleeve_end"] is not None and own["collar"] is not None:
        if own["elbow"] is None and points.get(f"{side}_wrist") is None:
            own |= {"elbow": own["sleeve_end"], "sleeve_end": None}
        elif own["elbow"] is not None:
            reach = [np.linalg.norm(own[name] - own["collar"]) for name in ("sleeve_end", "elbow")]
            if reach[0] < reach[1]:
                own["sleeve_end"] = None
    joints = {LANDMARK_JOINTS[name]: point for name, point in own.items()}
    joints |= {name: points[f"{side}_{name}"] for name in joints if f"{side}_{name}" in points}
    return {name: point for name, point in joints.items() if point is not None}


def _try_on(
    generator: SPTGenerator, person: Person, product: Person, label: int, label_map: np.ndarray | None
) -> Redrawn:
    """I_out = I'_out x M_f + I_t x M_b, with I'_out = G_A^F(E_A^F(p_c, S_c, I_c), E'_S(p_t, S_t))."""
    one = fitted(checked_person(person), generator)
    base, wanted = one.image, one.label_map
    if label_map is not None:
        edited = checked_label_map(label_map, person.image_size)
        first = redraw(generator, person, edited, where="changed")
        base, wanted = first.image, first.label_map
    m_f = wanted == label
    if not m_f.any():
        raise ValueError(
            f"the person's map has no {LABELS[label]}, so there is nothing to try on in its place."
        )
    look = Look(product.label_map, product.pose, product.image)
    drawn = draw_foreground(generator, [look], [Look(wanted, one.pose)])[0]
    return Redrawn(
        image=joined(drawn, uint8_to_signed(base), m_f),
        drawn=signed_to_uint8(drawn).numpy(),
        label_map=wanted,
        mask=m_f,
        base=base,
        pose=one.pose,
        name=one.name,
    )


def _checked_cloth(label: int) -> int:
    if label not in CLOTHES:
        names = ", ".join(f"{number} ({LABELS[number]})" for number in CLOTHES)
        raise ValueError(f"the try-on region must be one of {names}; got {label}.")
    return int(label)


def _checked_picture(picture: np.ndarray, what: str) -> np.ndarray:
    if (
        not isinstance(picture, np.ndarray)
        or picture.dtype != np.uint8
        or picture.ndim != 3
        or picture.shape[2] != 3
    ):
        found = (
            f"{picture.dtype} {picture.shape}" if isinstance(picture, np.ndarray) else type(picture).__name__
        )
        raise ValueError(f"{what} must be a uint8 (h, w, 3) picture; got {found}.")
    return picture


def _checked_mask(mask: np.ndarray, picture: np.ndarray) -> np.ndarray:
    if not isinstance(mask, np.ndarray) or mask.shape != picture.shape[:2]:
        raise ValueError(f"the product's mask must be of its picture's size {picture.shape[:2]}.")
    return mask > 0


def _fitted_product(
    picture: np.ndarray,
    mask: np.ndarray,
    landmarks: Mapping[str, Sequence[float]],
    label: int,
    size: tuple[int, int],
) -> Person:
    """Make a "person" of a product, fitted into a frame: I_c, S_c and p_c."""
    image = _checked_picture(picture, "the product")
    label_map = np.where(_checked_mask(mask, image), label, 0).astype(np.uint8)
    return fit_person(Person(image, landmark_pose(landmarks, image.shape[:2]), label_map), size)


def _aligned(product: Person, pose: Pose, around: np.ndarray | None = None) -> Person:
    """Move a product under a pose by the affine map that fits their common joints best (least squares).

    What lies beyond its picture gets the colour `around`, by default that of its table.
    """
    points = torch.from_numpy(product.keypoints)[None]
    common = torch.from_numpy(product.visible & pose.visible)[None]
    matrix, valid = fit_affine(points, torch.from_numpy(pose.keypoints)[None], common)
    if not valid:
        raise ValueError(
            "the product and the person have fewer than three joints in common, or all on a line."
        )
    back = invert_affine(matrix)
    if around is None:
        table = product.image[product.label_map == 0]
        around = np.median(table, axis=0) if len(table) else np.full(3, 255)

    def moved(maps: Tensor, mode: str) -> Tensor:
        return warp_affine(maps, back, mode=mode)

    image = uint8_to_signed(product.image)[None]
    inside = moved(torch.ones_like(image[:, :1]), "bilinear")
    fill = torch.from_numpy(around.astype(np.float32) / 127.5 - 1).view(1, 3, 1, 1)
    image = moved(image, "bilinear") + (1 - inside) * fill
    labels = moved(torch.from_numpy(product.label_map).float()[None, None], "nearest")[0, 0]
    keypoints = transform_points(points, matrix)[0].numpy()
    return replace(
        product,
        image=signed_to_uint8(image)[0].numpy(),
        label_map=labels.round().to(torch.uint8).numpy(),
        pose=Pose(keypoints, product.visible, product.image_size),
    )


def _cut_to(
    picture: np.ndarray, corners: Sequence[Sequence[float]] | None, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a picture to the proportions of `size` and resize it; move its corners (4, 2) along."""
    height, width = picture.shape[:2]
    rows = min(height, max(1, round(width * size[0] / size[1])))
    columns = min(width, max(1, round(height * size[1] / size[0])))
    top, left = (height - rows) // 2, (width - columns) // 2
    cut = np.ascontiguousarray(picture[top : top + rows, left : left + columns])
    if corners is None:
        points = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]]) - 0.5
    else:
        points = np.array(corners, np.float64)
        if points.shape != (4, 2) or not np.isfinite(points).all():
            raise ValueError(f"the styled image needs four corners (x, y); got an array {points.shape}.")
        points = points - [left, top]
    blank = Pose(np.zeros((NUM_JOINTS, 2)), np.zeros(NUM_JOINTS, bool), cut.shape[:2])
    return Person(cut, blank).resized(size).image, resize_points(points, cut.shape[:2], size)


def _corner_pose(corners: np.ndarray, label: int, size: tuple[int, int]) -> Pose:
    """Put joints between the corners of a styled image: the torso's on them, or the legs between them."""
    keypoints, visible = np.zeros((NUM_JOINTS, 2)), np.zeros(NUM_JOINTS, bool)
    upper_left, upper_right, lower_right, lower_left = corners
    for name, (s, t) in (_TRUNK if label == UPPER else _LEGS).items():
        upper, lower = (1 - s) * upper_left + s * upper_right, (1 - s) * lower_left + s * lower_right
        index = JOINTS.index(name)
        keypoints[index], visible[index] = (1 - t) * upper + t * lower, True
    return Pose(keypoints, visible, size)
