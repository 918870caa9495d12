"""Straightforward pose encodings and body parts: one person, and one joint, limb or part, at a time.

Written from the definitions alone, in numpy, sharing no code with `pgt`. The tests hold the fast versions
against these; `encodings.py` times both. Points are (x, y); `size` is (H, W); missing joints are those with
visible False.
"""

import math

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion

NOSE, NECK, R_SHOULDER, R_ELBOW, R_WRIST, L_SHOULDER, L_ELBOW, L_WRIST = range(8)
R_HIP, R_KNEE, R_ANKLE, L_HIP, L_KNEE, L_ANKLE, R_EYE, L_EYE, R_EAR, L_EAR = range(8, 18)
# The 23 links of the released PG2 code, numbered from 1 as there.
LINKS = (
    "2-3 2-6 3-4 4-5 6-7 7-8 2-9 9-10 10-11 2-12 12-13 13-14 2-1 1-15 15-17 1-16 16-18 "
    "2-17 2-18 9-12 12-6 9-3 17-18"
)
LIMB_PARTS = (
    (R_HIP, R_KNEE, 0.1), (L_HIP, L_KNEE, 0.1), (R_KNEE, R_ANKLE, 0.5), (L_KNEE, L_ANKLE, 0.5),
    (R_SHOULDER, R_ELBOW, 0.1), (L_SHOULDER, L_ELBOW, 0.1), (R_ELBOW, R_WRIST, 0.5), (L_ELBOW, L_WRIST, 0.5),
)  # fmt: skip
FACE = (NOSE, R_EYE, L_EYE, R_EAR, L_EAR)


def discs(keypoints: np.ndarray, visible: np.ndarray, size: tuple[int, int], radius: float = 4) -> np.ndarray:
    """Draw a solid disc per joint: (K, H, W)."""
    maps = np.zeros((len(keypoints), *size), np.float32)
    for joint, (x, y) in enumerate(keypoints):
        if visible[joint]:
            xs, ys = np.meshgrid(np.arange(size[1]), np.arange(size[0]))
            x, y = math.floor(x + 0.5), math.floor(y + 0.5)
            maps[joint] = (xs - x) ** 2 + (ys - y) ** 2 <= radius**2
    return maps


def gaussians(
    keypoints: np.ndarray, visible: np.ndarray, size: tuple[int, int], sigma: float = 6
) -> np.ndarray:
    """Draw a Gaussian per joint: (K, H, W)."""
    maps = np.zeros((len(keypoints), *size), np.float32)
    for joint, (x, y) in enumerate(keypoints):
        if visible[joint]:
            xs, ys = np.meshgrid(np.arange(size[1]), np.arange(size[0]))
            maps[joint] = np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * sigma**2))
    return maps


def links() -> list[tuple[int, int]]:
    """Return the links of the pose mask, numbered from 0."""
    return [tuple(int(end) - 1 for end in link.split("-")) for link in LINKS.split()]


def close(mask: np.ndarray, side: int = 5) -> np.ndarray:
    """Close a (H, W) mask with a square; beyond the image nothing dilates and nothing erodes."""
    square = np.ones((side, side))
    return binary_erosion(binary_dilation(mask, square), square, border_value=1).astype(np.float32)


def distance_to_limb(start: np.ndarray, end: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Measure the distance of every pixel from a segment: (H, W)."""
    xs, ys = np.meshgrid(np.arange(size[1], dtype=np.float64), np.arange(size[0], dtype=np.float64))
    along = end.astype(np.float64) - start
    squared = float(along @ along)
    place = (
        ((xs - start[0]) * along[0] + (ys - start[1]) * along[1]) / squared if squared > 0 else np.zeros(size)
    )
    place = np.clip(place, 0, 1)
    return np.hypot(xs - start[0] - place * along[0], ys - start[1] - place * along[1])


def pose_mask(
    keypoints: np.ndarray,
    visible: np.ndarray,
    size: tuple[int, int],
    radius: float = 4,
    fill_torso: bool = True,
) -> np.ndarray:
    """Cover what is within `radius` of a limb, and the torso, by testing every pixel; close: (H, W)."""
    mask = np.zeros(size, bool)
    for start, end in links():
        if visible[start] and visible[end]:
            mask |= distance_to_limb(keypoints[start], keypoints[end], size) <= radius + 1e-4
    if fill_torso:
        mask |= hull([keypoints[j] for j in (R_SHOULDER, L_SHOULDER, R_HIP, L_HIP) if visible[j]], size)
    return close(mask)


def stamped_pose_mask(
    keypoints: np.ndarray, visible: np.ndarray, size: tuple[int, int], radius: int = 4
) -> np.ndarray:
    """Stamp discs along the limbs as the released PG2 code does, then close: (H, W). The torso stays open."""
    height, width = size
    mask = np.zeros(size, bool)
    for start, end in links():
        if not (visible[start] and visible[end]):
            continue
        stamps = max(int(np.linalg.norm(keypoints[end] - keypoints[start]) / radius), 1)
        for i in range(stamps + 1):
            x, y = (keypoints[start] + (keypoints[end] - keypoints[start]) * i / stamps).astype(int)
            for dy in range(-radius, radius + 1):
                for dx in range(-radius, radius + 1):
                    if dx**2 + dy**2 <= radius**2 and 0 <= y + dy < height and 0 <= x + dx < width:
                        mask[y + dy, x + dx] = True
    return close(mask)


def convex(corners: np.ndarray, size: tuple[int, int], slack: float = 0) -> np.ndarray:
    """Fill a convex polygon, which lies on one side of each of its sides: (H, W) bool.

    With `slack`, pixels outside by as little (in pixels times the length of the side) count as inside.
    """
    xs, ys = np.meshgrid(np.arange(size[1], dtype=np.float64), np.arange(size[0], dtype=np.float64))
    left, right = np.ones(size, bool), np.ones(size, bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        side = (x1 - x0) * (ys - y0) - (y1 - y0) * (xs - x0)
        left &= side >= -slack
        right &= side <= slack
    return left | right


def hull(points: list[np.ndarray], size: tuple[int, int], slack: float = 0) -> np.ndarray:
    """Fill the convex hull of three or four points, in any order: all triangles between them: (H, W) bool."""
    points = np.asarray(points, dtype=np.float64)
    if len(points) == 3:
        return convex(points, size, slack)
    mask = np.zeros(size, bool)
    for left_out in range(4 if len(points) == 4 else 0):
        mask |= convex(np.delete(points, left_out, axis=0), size, slack)
    return mask


def body_scale(keypoints: np.ndarray, visible: np.ndarray) -> float:
    """Measure the torso's length where a shoulder and the hip of its side are visible; 0 otherwise."""
    lengths = [
        np.linalg.norm(keypoints[shoulder] - keypoints[hip])
        for shoulder, hip in ((R_SHOULDER, R_HIP), (L_SHOULDER, L_HIP))
        if visible[shoulder] and visible[hip]
    ]
    return math.sqrt(sum(length**2 for length in lengths) / len(lengths)) if lengths else 0.0


def limb_corners(start: np.ndarray, end: np.ndarray, overshoot: float, scale: float) -> np.ndarray:
    """Return the rectangle around a limb: (4, 2)."""
    along = end - start
    normal = np.array([-along[1], along[0]]) / math.hypot(*along) * 0.2 * scale
    first, last = start - 0.1 * along, end + overshoot * along
    return np.array([first + normal, first - normal, last - normal, last + normal])


def part_corners(keypoints: np.ndarray, visible: np.ndarray) -> list[np.ndarray | None]:
    """Return the corners (4, 2) of each of the ten parts of a person whose shoulders and hips are visible."""
    keypoints, scale = keypoints.astype(np.float64), body_scale(keypoints, visible)
    face = [keypoints[joint] for joint in FACE if visible[joint]]
    head = None
    if face:
        (x, y), half = np.mean(face, axis=0), 0.4 * scale
        head = np.array(
            [[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]]
        )
    parts = [np.array([keypoints[joint] for joint in (R_HIP, L_HIP, L_SHOULDER, R_SHOULDER)]), head]
    for start, end, overshoot in LIMB_PARTS:
        seen = visible[start] and visible[end]
        parts.append(limb_corners(keypoints[start], keypoints[end], overshoot, scale) if seen else None)
    return parts


def part_masks(
    keypoints: np.ndarray, visible: np.ndarray, size: tuple[int, int], slack: float = 0
) -> np.ndarray:
    """Fill each part: (10, H, W)."""
    masks = np.zeros((10, *size), np.float32)
    for part, corners in enumerate(part_corners(keypoints, visible)):
        if corners is not None:
            masks[part] = (hull if part == 0 else convex)(corners, size, slack)  # torsos can be twisted
    return masks


def fit_affine(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Fit target = matrix @ (x, y, 1) by least squares: (2, 3)."""
    design = np.concatenate([source, np.ones((len(source), 1))], axis=1)
    solution, _, _, _ = np.linalg.lstsq(design, target, rcond=None)
    return solution.T


def part_affines(
    source: np.ndarray, source_visible: np.ndarray, target: np.ndarray, target_visible: np.ndarray
) -> list[np.ndarray | None]:
    """Fit the map of each part from source to target; None where either pose lacks the part."""
    matrices: list[np.ndarray | None] = []
    source_parts, target_parts = part_corners(source, source_visible), part_corners(target, target_visible)
    for part in range(10):
        one, other = source_parts[part], target_parts[part]
        if part == 1:
            joints = [j for j in (*FACE, R_SHOULDER, L_SHOULDER) if source_visible[j] and target_visible[j]]
            if len(joints) >= 3:
                one, other = source[joints].astype(np.float64), target[joints].astype(np.float64)
        matrices.append(None if one is None or other is None else fit_affine(one, other))
    return matrices
