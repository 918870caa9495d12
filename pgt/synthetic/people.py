"""Synthetic people: from seeds to pictures with their joints, labels, mask and background.

Two rules to know. Labels: a dress counts as upper clothes, a hat as hair, shoes and socks as their leg, the
neck as face. Visibility: `Person.visible` is what networks are fed, that is body joints wherever they lie
inside the image and no thing stands before them, but nose, eyes and ears only when they can be seen; those
five tell front from back. `SyntheticPerson.unoccluded` holds the strict truth for all 18. What stands before
a person belongs to the background, in the mask and the labels too.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from pgt.data.pairs import CachedPeople
from pgt.data.person import Pair, Person
from pgt.data.pose import FLIP_JOINTS, Pose
from pgt.synthetic.articulation import BodyPose
from pgt.synthetic.camera import Camera, draw_camera, draw_yaw, project, view_rotation
from pgt.synthetic.draw import SPLITS, Draw
from pgt.synthetic.figure import Figure, detail_for, figure_of, pose_figure
from pgt.synthetic.lifting import lift_pose
from pgt.synthetic.poses import draw_pose
from pgt.synthetic.raster import Mesh, rasterize
from pgt.synthetic.scenes import Background, draw_background, draw_foreground, light_of
from pgt.synthetic.shading import Picture, ground_shadow, shade
from pgt.synthetic.skeleton import BONE, Frames, joints_18
from pgt.synthetic.wardrobe import Identity, draw_identity

FACE_JOINTS = (0, 14, 15, 16, 17)
# How far below the visible surface a joint may lie and be seen, metres: the limb's radius and cloth.
_DEPTHS = np.array((
    0.03, 0.10, 0.11, 0.08, 0.065, 0.11, 0.08, 0.065, 0.15,
    0.10, 0.085, 0.15, 0.10, 0.085, 0.03, 0.03, 0.04, 0.04,
))  # fmt: skip
# Which way each face joint looks, in the head's frame.
_LOOKS = np.array([[0, 0, 1], [-0.45, 0, 1], [0.45, 0, 1], [-1, 0, 0.1], [1, 0, 0.1]], float)
_SEEN_FROM = np.array([-0.10, 0.0, 0.0, 0.0, 0.0])  # least cosine towards the viewer; a nose shows in profile
MIXED = {"plain": 0.5, "cluttered": 0.3, "street": 0.2}  # backgrounds of the scene "mixed"
CLUTTER = {"cluttered": 0.5, "obstructed": 0.5}  # backgrounds of the scene "non_iconic"
SCENES = ("plain", "street", "non_iconic", "mixed", "everywhere")
EVERYWHERE = ("mixed", "non_iconic")  # scenes of even and of odd identities


@dataclass(frozen=True, eq=False)
class SceneSpec:
    """Everything a picture is made of; the same spec gives the same picture at any resolution."""

    identity_seed: int
    split: str
    pose: BodyPose
    camera: Camera
    background: Background
    wearing: Identity | None = None  # the same body in other clothes (see `outfits`); None: its own

    @property
    def identity(self) -> Identity:
        """Who it is, in the clothes that are rendered."""
        return self.wearing or _identity(self.identity_seed, self.split)


@dataclass(frozen=True, eq=False)
class SyntheticPerson(Person):
    """A person whose truth is known.

    Args:
        unoccluded: (18,) bool, joints inside the image that nothing hides.
        spec: what it was rendered from; None after a flip, since no spec renders the mirror image.
    """

    unoccluded: np.ndarray | None = None
    spec: SceneSpec | None = None

    def flipped(self) -> "SyntheticPerson":
        """Return the person mirrored left to right (see `Person.flipped`)."""
        return replace(super().flipped(), unoccluded=self.unoccluded[list(FLIP_JOINTS)], spec=None)


@lru_cache(maxsize=4096)
def _identity(seed: int, split: str) -> Identity:
    return draw_identity(seed, split)


@lru_cache(maxsize=64)
def _background(background: Background, size: tuple[int, int]) -> torch.Tensor:
    return torch.as_tensor(draw_background(background, size))


@lru_cache(maxsize=64)
def _foreground(background: Background, size: tuple[int, int]) -> np.ndarray | None:
    return draw_foreground(background, size)


def render_people(specs: Sequence[SceneSpec], size: tuple[int, int]) -> list[SyntheticPerson]:
    """Render many people, each with its own scene.

    Args:
        specs: one per picture.
        size: (H, W) of all pictures in pixels.
    """
    per_chunk = max(1, min(32, 2**21 // (size[0] * size[1])))
    chunks = [specs[i : i + per_chunk] for i in range(0, len(specs), per_chunk)]
    return [person for chunk in chunks for person in _render_chunk(chunk, size)]


@torch.no_grad()
def _render_chunk(specs: Sequence[SceneSpec], size: tuple[int, int]) -> list[SyntheticPerson]:
    figures = [figure_of(spec.identity, detail_for(_height_of(spec, size))) for spec in specs]
    frames = [
        spec.pose.frames(figure.identity.proportions) for spec, figure in zip(specs, figures, strict=True)
    ]
    meshes, shadows = [], []
    for spec, figure, frame in zip(specs, figures, frames, strict=True):
        mesh, shadow = _place(figure, frame, spec.camera, size)
        meshes.append(mesh)
        shadows.append(shadow)
    backgrounds = torch.stack([_background(spec.background, size) for spec in specs])
    scale = torch.tensor([spec.camera.scale * size[0] for spec in specs])
    picture = shade(
        rasterize(meshes, size),
        [figure.materials for figure in figures],
        backgrounds,
        pixels_per_metre=scale,
        lights=[light_of(spec.background) for spec in specs],
        shadow=ground_shadow(shadows, scale, size),
    )
    return [
        _person(spec, figure, frame, picture, backgrounds, i, size)
        for i, (spec, figure, frame) in enumerate(zip(specs, figures, frames, strict=True))
    ]


def _height_of(spec: SceneSpec, size: tuple[int, int]) -> int:
    """Height in pixels that an image showing a whole body at this scale would have."""
    return round(spec.camera.scale / 0.5 * size[0])


def _place(
    figure: Figure, frames: Frames, camera: Camera, size: tuple[int, int]
) -> tuple[Mesh, torch.Tensor]:
    """Pose a figure in front of its camera; also where its points fall on the ground, for the shadow."""
    vertices, normals = pose_figure(figure, frames)
    scale = camera.scale * size[0]
    pixels, depth = project(vertices, camera, size)
    turned = normals @ (view_rotation(camera).T * (1, -1, 1)).astype(np.float32)
    placed = np.concatenate([pixels, depth[:, None] * scale], 1).astype(np.float32)
    surface = figure.surface
    mesh = Mesh(
        placed, turned, surface.faces, np.ascontiguousarray(surface.uv), surface.material, surface.label
    )
    some = vertices[::7]
    on_ground, _ = project(some * np.array([1, 0, 1], np.float32), camera, size)
    shadow = np.concatenate([on_ground, some[:, 1:2]], 1).astype(np.float32)
    return mesh, torch.from_numpy(shadow)


def _person(
    spec: SceneSpec,
    figure: Figure,
    frames: Frames,
    picture: Picture,
    backgrounds: torch.Tensor,
    index: int,
    size: tuple[int, int],
) -> SyntheticPerson:
    keypoints, inside, unoccluded = _joints(spec, figure, frames, picture.depth[index].numpy(), size)
    visible = inside.copy()
    visible[list(FACE_JOINTS)] = unoccluded[list(FACE_JOINTS)]
    image, label_map, person_mask, background = (
        one[index].numpy() for one in (picture.image, picture.label_map, picture.person_mask, backgrounds)
    )
    front = _foreground(spec.background, size)
    if front is not None:
        image = np.rint(image + front[..., None] * (background - image.astype(np.float32))).astype(np.uint8)
        hides = front > 0.5
        label_map, person_mask = np.where(hides, 0, label_map), person_mask & ~hides
        seen = ~hides[_nearest(keypoints, size)]
        visible, unoccluded = visible & seen, unoccluded & seen
    return SyntheticPerson(
        image=image,
        pose=Pose(keypoints, visible, size),
        label_map=label_map,
        person_mask=person_mask,
        background=background,
        name=f"{spec.split}-{spec.identity_seed:06d}",
        unoccluded=unoccluded,
        spec=spec,
    )


def _joints(
    spec: SceneSpec, figure: Figure, frames: Frames, depth_map: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (18, 2) pixels, (18,) inside the image, and (18,) inside the image and hidden by nothing."""
    points = joints_18(figure.identity.proportions, frames)
    pixels, depth = project(points, spec.camera, size)
    column, row = np.rint(pixels).astype(int).T
    inside = (column >= 0) & (column < size[1]) & (row >= 0) & (row < size[0])
    surface = depth_map[_nearest(pixels, size)] / (spec.camera.scale * size[0])
    tolerance = _DEPTHS + 0.7 / (spec.camera.scale * size[0])  # a pixel is this coarse
    unoccluded = inside & (depth + tolerance >= surface)
    toward = _LOOKS @ (view_rotation(spec.camera) @ frames.rotations[BONE["head"]])[2]
    unoccluded[list(FACE_JOINTS)] &= toward > _SEEN_FROM
    return pixels.astype(np.float32), inside, unoccluded


def _nearest(pixels: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the row and column (N,) nearest to each of (N, 2) pixels (x, y), within a picture of (H, W)."""
    column, row = np.rint(pixels).astype(int).T
    return row.clip(0, size[0] - 1), column.clip(0, size[1] - 1)


def parameters_hash(spec: SceneSpec) -> str:
    """Return a SHA-256 of all parameters of a picture, to six decimals, the same on every machine."""
    values = [_plain_values(part) for part in (spec.identity, spec.pose, spec.camera, spec.background)]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _plain_values(value: object) -> object:
    if is_dataclass(value):
        return {key: _plain_values(entry) for key, entry in asdict(value).items()}
    if isinstance(value, dict):
        return {key: _plain_values(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return _plain_values(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain_values(entry) for entry in value]
    return round(float(value), 6) + 0.0 if isinstance(value, (float, np.floating)) else value


class SyntheticPeople:
    """Endless people as a dataset of pairs: nothing is stored, everything follows from (split, index).

    Pair i shows one identity before one background in one light, in two poses and from two views. Identities,
    clothes, poses and scenes of a split come from streams of their own and never occur in another split.

    Args:
        split: "train", "val" or "test".
        image_size: (H, W) in pixels.
        scene: "plain" (studio), "street" (pedestrian crops, meant for 2:1 images), "non_iconic" (small
            people in clutter, some behind things, who jump and bend as often as they stand), "mixed" (framed
            as in a studio, before studios, rooms and streets) or "everywhere" (`EVERYWHERE` in turn).
        num_identities: N.
        poses_per_identity: K; every ordered pair of different poses of one identity is an item, which makes
            N * K * (K - 1).
        identical_shots: whether both pictures of an identity are whole bodies, or both upper bodies.

    Raises:
        ValueError: an unknown split or scene, or fewer than 2 poses.
    """

    def __init__(
        self,
        split: str = "train",
        image_size: tuple[int, int] = (128, 128),
        scene: str = "mixed",
        num_identities: int = 4000,
        poses_per_identity: int = 6,
        identical_shots: bool = True,
    ) -> None:
        if split not in SPLITS or scene not in SCENES:
            raise ValueError(f"Unknown split or scene {split!r}, {scene!r}: {tuple(SPLITS)}, {SCENES}.")
        if poses_per_identity < 2 or num_identities < 1:
            raise ValueError("Pairs need at least one identity and two poses of each.")
        self.split, self.image_size, self.scene = split, tuple(image_size), scene
        self.num_identities, self.poses_per_identity = num_identities, poses_per_identity
        self.identical_shots = identical_shots

    def __len__(self) -> int:
        return self.num_identities * self.poses_per_identity * (self.poses_per_identity - 1)

    def __getitem__(self, index: int) -> Pair:
        """Render a pair.

        Raises:
            IndexError: beyond the last pair.
        """
        identity, first, second = self.members(index)
        source, target = self.render([(identity, first), (identity, second)])
        return Pair(source, target, name=f"{self.split}-{identity:06d}-{first}-{second}")

    def members(self, index: int) -> tuple[int, int, int]:
        """Return (identity, source pose, target pose) of a pair; neighbours differ in identity."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"There are {len(self)} pairs; {index} is beyond them.")
        number, identity = divmod(index % len(self), self.num_identities)
        first, second = divmod(number, self.poses_per_identity - 1)
        return identity, first, second + (second >= first)

    def render(self, people: Sequence[tuple[int, int]]) -> list[SyntheticPerson]:
        """Render (identity, pose number) tuples in one batch."""
        return render_people([self.spec(identity, k) for identity, k in people], self.image_size)

    def person(self, identity: int, k: int = 0) -> SyntheticPerson:
        """Render pose `k` of an identity."""
        return self.render([(identity, k)])[0]

    def spec(self, identity: int, k: int) -> SceneSpec:
        """Return what picture `k` of an identity is made of."""
        scene = EVERYWHERE[identity % 2] if self.scene == "everywhere" else self.scene
        salt = (SPLITS[self.split], SCENES.index(scene), identity)
        of_identity = Draw(*salt, 1)
        kinds = {"mixed": MIXED, "non_iconic": CLUTTER}.get(scene) or {scene: 1.0}
        kind = of_identity.choice(list(kinds), list(kinds.values()))
        background = Background(SPLITS[self.split] * 2**33 + of_identity.seed(), kind)
        framing = "plain" if scene == "mixed" else scene
        shot = of_identity.choice(("full", "upper"), (0.68, 0.32)) if framing == "plain" else None
        draw = Draw(*salt, 2, k)
        proportions = _identity(identity, self.split).proportions
        pose = draw_pose(draw, proportions=proportions, scene=scene)
        joints = joints_18(proportions, pose.frames(proportions))
        yaw = draw_yaw(draw, "non_iconic") if scene == "mixed" else None  # a studio shows few backs
        camera = draw_camera(draw, framing, joints, yaw=yaw, shot=shot if self.identical_shots else None)
        return SceneSpec(identity, self.split, pose, camera, background)

    def cached(self, folder: str | Path, keep: Sequence[str] = ("label_map", "person_mask")) -> CachedPeople:
        """Return the same people, kept on disk once rendered; its `fill` renders them all."""
        return CachedPeople(
            folder,
            self.render,
            self.parameters,
            num_identities=self.num_identities,
            poses_per_identity=self.poses_per_identity,
            image_size=self.image_size,
            keep=keep,
        )

    def in_pose(self, spec: SceneSpec, pose: Pose) -> SyntheticPerson:
        """Render the person of `spec` in an edited 2-D pose, lifted with the spec's pose as guide."""
        lifted = lift_pose(pose, spec.identity.proportions, spec.camera, spec.pose)
        return render_people([replace(spec, pose=lifted)], self.image_size)[0]

    @property
    def parameters(self) -> dict[str, object]:
        """Everything the pictures depend on, for the name of a cache."""
        return {
            "split": self.split,
            "scene": self.scene,
            "identical_shots": self.identical_shots,
            "looks": LOOKS[self.scene],
        }


# Raise a scene's number when the same parameters come to mean other pictures.
LOOKS = {"plain": 1, "street": 1, "non_iconic": 2, "mixed": 1, "everywhere": 3}  # the sum of its scenes
