"""Figures: an identity's whole skinned mesh and materials, built once, and posed as often as wanted."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pgt.synthetic import garments as g
from pgt.synthetic.anatomy import bind_frames, sculpt_body
from pgt.synthetic.body import (
    attach,
    body_template,
    fit_to_proportions,
    foot_template,
    hand_template,
    wrap_body,
)
from pgt.synthetic.head import hair_surface, hat_surface, head_surface, under_hat
from pgt.synthetic.shading import Material
from pgt.synthetic.skeleton import BONE, Frames, Proportions
from pgt.synthetic.skirts import dress_skirt
from pgt.synthetic.surface import Surface, bend, bone_motions, cut, join
from pgt.synthetic.wardrobe import Identity

SKIN, FACE, HAIR, TOP, TOP_TRIM, INNER, BOTTOM, BOTTOM_TRIM, SHOE, SOLE, SOCK, HAT = range(12)
UNDER = 0.09  # how far skin goes on under cloth, as a share of the limb


@dataclass(frozen=True)
class Figure:
    """One identity's mesh in the bind pose."""

    identity: Identity
    surface: Surface
    bind: Frames
    materials: tuple[Material, ...]


@lru_cache(maxsize=96)
def figure_of(identity: Identity, detail: str) -> Figure:
    """Return the figure of an identity; the last 96 are kept, some 3 MB each."""
    return build_figure(identity, detail)


def detail_for(height: int) -> str:
    """Choose how fine a mesh an image of `height` pixels needs."""
    return "coarse" if height <= 100 else "medium" if height <= 300 else "fine"


def build_figure(identity: Identity, detail: str = "fine") -> Figure:
    """Build the mesh of an identity: skin where it shows, head, hair, clothes, shoes.

    Args:
        identity: from `draw_identity`.
        detail: "fine" (about 15,000 triangles) or "coarse" (about 5,000).
    """
    p = identity.proportions
    template = body_template(detail)
    blend = sculpt_body(p, identity.shape)
    skin = wrap_body(template, fit_to_proportions(template, p), blend)
    on = g.Dressing(template, skin.vertices, blend, p, bind_frames(p))
    pieces = [*_clothes(on, identity, detail), *_bare_skin(on, identity, skin), *_feet(on, identity, detail)]
    for side, label in (("left", g.LEFT_ARM), ("right", g.RIGHT_ARM)):
        size = p.hand / Proportions().hand * (0.86 + 0.12 * (1 - identity.shape.feminine)) * 1.02
        hand = attach(hand_template(detail, side), f"{side}_hand", p, (size, size, size))
        pieces.append(hand.painted(SKIN, label))
    pieces += _head(identity, detail)
    i = identity
    materials = (
        i.skin, i.face, i.hair, i.top_cloth, i.top_trim, i.inner_cloth, i.bottom_cloth, i.bottom_trim,
        i.shoe_cloth, i.sole, i.sock_cloth, i.hat_cloth,
    )  # fmt: skip
    return Figure(identity, join([piece for piece in pieces if len(piece.faces)]), on.frames, materials)


def _clothes(on: g.Dressing, i: Identity, detail: str) -> list[Surface]:
    pieces = [g.dress_top(on, detail, i.top, TOP, TOP_TRIM)]
    if i.inner_top is not None:
        pieces.append(g.dress_top(on, detail, i.inner_top, INNER, INNER, inner=True))
    if i.bottom.kind == "skirt":
        label = g.UPPER if i.dress else g.SKIRT
        pieces.append(dress_skirt(on, detail, i.bottom, BOTTOM, BOTTOM_TRIM, label))
    else:
        pieces.append(g.dress_trousers(on, detail, i.bottom, BOTTOM, BOTTOM_TRIM))
    if i.sock > 0.0 and i.bottom.length < 0.97 - i.sock:
        pieces.append(g.dress_leg_cover(on, detail, 1 - i.sock, 1.06, 0.003, SOCK))
    if i.boot_shaft > 0.0:
        pieces.append(g.dress_leg_cover(on, detail, 1 - i.boot_shaft, 1.06, 0.010, SHOE))
    return pieces


def _bare_skin(on: g.Dressing, i: Identity, skin: Surface) -> list[Surface]:
    """The parts of the body that no garment covers, with a little more under every hem."""
    skin = skin.painted(SKIN, g.FACE)
    pieces = []
    for side, label in (("left", g.LEFT_ARM), ("right", g.RIGHT_ARM)):
        arm = skin.weights[:, g.ARMS[side]].sum(1)
        along = on.along_arm(skin.vertices, side)
        shown = arm - 0.25 if i.top.sleeve <= 0 else np.where(arm > 0.3, along - i.top.sleeve + UNDER, -0.1)
        pieces.append(cut(skin, shown).painted(SKIN, label))
    bare = i.bottom.length if i.bottom.kind == "trousers" else 0.04
    along = on.along_leg(skin.vertices) - max(0.02, bare - UNDER)
    along = np.where(skin.weights[:, g.ARMS["left"] + g.ARMS["right"]].sum(1) > 0.3, -0.1, along)
    for side, label in (("left", g.LEFT_LEG), ("right", g.RIGHT_LEG)):
        pieces.append(cut(skin, np.minimum(along, g.SIGN[side] * skin.vertices[:, 0])).painted(SKIN, label))
    top = i.top if i.inner_top is None else i.inner_top
    shown = 0.085 - g.neckline(on, skin.vertices, top)
    arms = skin.weights[:, g.ARMS["left"] + g.ARMS["right"]].sum(1)
    pieces.append(
        cut(skin, shown if top.sleeve > 0 else np.maximum(shown, np.minimum(arms - 0.12, 0.6 - arms)))
    )
    return pieces


def _feet(on: g.Dressing, i: Identity, detail: str) -> list[Surface]:
    pieces, p = [], i.proportions
    for side, label in (("left", g.LEFT_LEG), ("right", g.RIGHT_LEG)):
        bone = f"{side}_foot"
        long, high = p.foot / Proportions().foot, p.ankle_height / Proportions().ankle_height
        wide = 0.86 + 0.12 * (1 - i.shape.feminine)
        foot = attach(foot_template(detail, side, i.shoe), bone, p, (wide, high, long))
        height = foot.vertices[:, 1] - on.frames.origins[BONE[bone]][1] + p.ankle_height
        edge = {"sneaker": 0.026, "boot": 0.020, "flat": 0.009, "bare": 0.0}[i.shoe]
        upper, sole = cut(foot, height - edge), cut(foot, edge - height)
        pieces.append(upper.painted(SKIN if i.shoe == "bare" else SHOE, label))
        if len(sole.faces):
            pieces.append(sole.painted(SOLE, label))
    return pieces


def _head(i: Identity, detail: str) -> list[Surface]:
    p = i.proportions
    head = head_surface(detail, i.head, p)
    front = head.vertices[:, 2] - on_face(p)
    pieces = [cut(head, front).painted(FACE, g.FACE), cut(head, -front).painted(SKIN, g.FACE)]
    hair = hair_surface(detail, i.hair_style, i.hairline, i.fringe, i.head, p)
    if hair is not None:
        hair = hair if i.hat == "none" else under_hat(hair, i.hat, p)
        pieces.append(hair.painted(HAIR, g.HAIR))
    hat = hat_surface(detail, i.hat, i.head, p)
    if hat is not None:
        pieces.append(hat.painted(HAT, g.HAIR))
    return pieces


def on_face(p: Proportions) -> float:
    """Depth in the bind pose in front of which the head is painted as a face, metres."""
    return float(bind_frames(p).origins[BONE["head"]][2])


def pose_figure(figure: Figure, frames: Frames) -> tuple[np.ndarray, np.ndarray]:
    """Return the figure's vertices (V, 3) in world metres and unit normals (V, 3) in a pose."""
    return bend(figure.surface, bone_motions(figure.bind, frames))
