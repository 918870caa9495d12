"""Identities: who a synthetic person is and what they wear, all drawn from one integer.

Identities of different splits come from different streams, so no body, face or cloth of one split occurs in
another.
"""

from dataclasses import dataclass, replace

from pgt.synthetic.anatomy import Shape
from pgt.synthetic.appearance import Color, Face, Hair, Skin
from pgt.synthetic.draw import SPLITS, Draw
from pgt.synthetic.garments import Bottom, Top
from pgt.synthetic.head import HeadShape
from pgt.synthetic.skeleton import Proportions
from pgt.synthetic.textures import Texture, draw_color, draw_texture, luminance

SKINS: tuple[Color, ...] = (
    (0.96, 0.83, 0.75), (0.95, 0.80, 0.70), (0.92, 0.76, 0.65), (0.88, 0.71, 0.58), (0.83, 0.65, 0.51),
    (0.76, 0.57, 0.43), (0.66, 0.47, 0.35), (0.55, 0.38, 0.28), (0.44, 0.30, 0.22), (0.34, 0.23, 0.18),
)  # fmt: skip
HAIRS: tuple[Color, ...] = (
    (0.10, 0.085, 0.08), (0.16, 0.11, 0.085), (0.26, 0.17, 0.115), (0.36, 0.235, 0.15), (0.47, 0.32, 0.20),
    (0.62, 0.46, 0.28), (0.79, 0.64, 0.42), (0.88, 0.77, 0.57), (0.52, 0.25, 0.13), (0.60, 0.59, 0.58),
    (0.82, 0.81, 0.79),
)  # fmt: skip
_HAIR_ON_LIGHT = (1.4, 2.0, 2.2, 2.0, 1.6, 1.3, 1.2, 0.7, 0.7, 0.5, 0.4)
_HAIR_ON_DARK = (5.0, 3.0, 0.8, 0.3, 0.2, 0.1, 0.1, 0.05, 0.1, 0.4, 0.2)
IRISES: tuple[Color, ...] = (
    (0.27, 0.16, 0.09),
    (0.20, 0.12, 0.08),
    (0.36, 0.25, 0.13),
    (0.30, 0.38, 0.26),
    (0.30, 0.42, 0.54),
)


@dataclass(frozen=True)
class Identity:
    """Everything about a synthetic person that does not change from picture to picture."""

    seed: int
    split: str
    proportions: Proportions
    shape: Shape
    head: HeadShape
    skin: Skin
    face: Face
    hair: Hair
    hair_style: str
    hairline: float
    fringe: bool
    top: Top
    top_cloth: Texture
    top_trim: Texture
    inner_top: Top | None
    inner_cloth: Texture
    bottom: Bottom
    bottom_cloth: Texture
    bottom_trim: Texture
    dress: bool
    shoe: str  # "sneaker", "flat", "boot", "bare"
    shoe_cloth: Texture
    sole: Texture
    sock: float  # share of the leg from the ankle up; 0 none
    sock_cloth: Texture
    boot_shaft: float  # share of the leg from the ankle up; 0 none
    hat: str
    hat_cloth: Texture


def draw_identity(seed: int, split: str = "train") -> Identity:
    """Draw the identity of a seed in a split ("train", "val" or "test").

    Raises:
        ValueError: on an unknown split.
    """
    if split not in SPLITS:
        raise ValueError(f"Unknown split {split!r}; the splits are {', '.join(SPLITS)}.")
    draw = Draw(SPLITS[split], seed)
    woman = draw.chance(0.56)
    proportions, shape = _draw_body(draw, woman)
    looks = _draw_looks(draw, woman)
    clothes = _draw_clothes(draw, woman, proportions)
    if clothes["hat"] != "none" and looks["hair_style"] in ("quiff", "curly", "bun"):
        looks["hair_style"] = "short"  # what fits under a hat
    return Identity(seed=seed, split=split, proportions=proportions, shape=shape, **looks, **clothes)


def _draw_body(draw: Draw, woman: bool) -> tuple[Proportions, Shape]:
    tall = min(1.10, max(0.90, draw.normal(0.955 if woman else 1.02, 0.03)))
    legs = draw.normal(1.0, 0.02)
    average = Proportions()
    lengths = {
        name: getattr(average, name) * tall * draw.normal(1, 0.012)
        for name in ("pelvis", "spine", "chest", "neck", "upper_arm", "forearm", "hand", "foot")
    }
    lengths |= {name: getattr(average, name) * tall * legs for name in ("thigh", "calf")}
    lengths["head"] = average.head * 1.075 * (0.4 + 0.6 * tall) * draw.normal(1, 0.015)
    shoulders = draw.normal(0.166, 0.006) if woman else draw.normal(0.190, 0.008)
    hips = draw.normal(0.094, 0.004) if woman else draw.normal(0.091, 0.004)
    proportions = Proportions(
        **lengths,
        ankle_height=average.ankle_height * tall,
        shoulder_half_width=shoulders,
        hip_half_width=hips,
    )
    feminine = draw.uniform(0.78, 1.0) if woman else draw.uniform(0.0, 0.3)
    heavy = max(0.0, draw.normal(-0.3, 0.7))
    girth = min(1.3, max(0.86, draw.normal(0.98, 0.05) + 0.12 * heavy))
    muscle = draw.uniform(0.1, 0.5) if woman else draw.uniform(0.2, 0.9)
    return proportions, Shape(feminine, girth, muscle, 0.035 * heavy, draw.uniform(0.1, 0.8))


def _draw_looks(draw: Draw, woman: bool) -> dict:
    tone = draw.uniform(0, len(SKINS) - 1.001)
    low, mix = int(tone), tone - int(tone)
    skin = tuple((1 - mix) * a + mix * b for a, b in zip(SKINS[low], SKINS[low + 1], strict=True))
    hair = draw.choice(HAIRS, _HAIR_ON_LIGHT if tone < 4.5 else _HAIR_ON_DARK)
    if draw.chance(0.025):
        hair = draw.choice(((0.70, 0.35, 0.45), (0.35, 0.30, 0.55), (0.25, 0.45, 0.48)))
    hair = tuple(min(0.95, c * draw.uniform(0.9, 1.1)) for c in hair)
    if woman:
        styles = {"short": 0.08, "bob": 0.22, "long": 0.36, "ponytail": 0.17, "bun": 0.11, "curly": 0.06}
    else:
        styles = {
            "bald": 0.06,
            "buzz": 0.16,
            "short": 0.44,
            "quiff": 0.18,
            "curly": 0.08,
            "long": 0.04,
            "bun": 0.04,
        }
    style = draw.choice(list(styles), list(styles.values()))
    fringe = draw.chance(0.4 if style in ("bob", "long") else 0.15) and style in (
        "bob",
        "long",
        "ponytail",
        "bun",
    )
    shape = HeadShape(
        masculine=not woman, width=draw.normal(0, 0.022), jaw=draw.normal(0, 0.05),
        chin=draw.normal(0, 0.012), nose=draw.normal(0, 0.08),
    )  # fmt: skip
    wave = max(0.0, draw.normal(0.2, 0.5))
    return {
        "head": shape,
        "skin": Skin(skin),
        "face": _draw_face(draw, woman, skin, hair),
        "hair": Hair(hair, draw.uniform(0.22, 0.38), 3.0 if style == "curly" else wave),
        "hair_style": style,
        "hairline": draw.normal(0, 0.014),
        "fringe": fringe,
    }


def _draw_face(draw: Draw, woman: bool, skin: Color, hair: Color) -> Face:
    dark = luminance(skin) < 0.5
    red = draw.uniform(0.5, 1.0) if woman and draw.chance(0.45) else draw.uniform(0, 0.25)
    natural = (skin[0] * 0.86, skin[1] * 0.62, skin[2] * 0.60)
    painted = draw.choice(((0.70, 0.16, 0.20), (0.74, 0.30, 0.32), (0.58, 0.14, 0.22), (0.80, 0.38, 0.40)))
    lips = tuple(natural[i] + 0.8 * red * (painted[i] - natural[i]) for i in range(3))
    light = min(0.80, 0.33 / luminance(hair))
    brow = tuple(c * light * warmth for c, warmth in zip(hair, (1.08, 0.97, 0.90), strict=True))
    beard = 0.0 if woman or not draw.chance(0.3) else draw.uniform(0.75, 1.0)
    return Face(
        skin=skin,
        lips=lips,
        iris=draw.choice(IRISES, (1, 4, 0.3, 0.1, 0.1) if dark else (2, 1.5, 1.5, 1.2, 2)),
        brow=brow,
        eye_width=draw.normal(0.075, 0.004) if woman else draw.normal(0.070, 0.004),
        eye_height=draw.normal(0.037, 0.003) if woman else draw.normal(0.031, 0.003),
        eye_tilt=draw.normal(0.06, 0.06),
        brow_height=draw.normal(0.090, 0.006) if woman else draw.normal(0.078, 0.006),
        brow_thickness=draw.normal(0.0135, 0.002) if woman else draw.normal(0.019, 0.003),
        brow_arch=max(0.004, draw.normal(0.022, 0.008) if woman else draw.normal(0.014, 0.006)),
        brow_strength=draw.uniform(0.65, 0.92),
        mouth_width=draw.normal(0.098, 0.007),
        lip_fullness=draw.normal(1.08, 0.12) if woman else draw.normal(0.86, 0.12),
        smile=draw.uniform(-0.05, 0.55),
        blush=draw.uniform(0.12, 0.36) if woman else draw.uniform(0.05, 0.18),
        lashes=draw.uniform(0.4, 1.0) if woman else draw.uniform(0.0, 0.15),
        beard=beard,
        stubble=0.0 if woman else max(0.0, draw.normal(0.15, 0.35)),
    )


def _draw_clothes(draw: Draw, woman: bool, p: Proportions) -> dict:
    dress = woman and draw.chance(0.20)
    cold = draw.uniform()  # 0 summer, 1 winter: clothes go together
    chest = p.pelvis + p.spine + 0.45 * p.chest
    top, inner = _draw_top(draw, woman, cold, dress)
    cloth = _placed(draw_texture(draw), chest)
    if cloth.kind == "logo" and top.front != "plain":  # it would be cut in two
        cloth = replace(cloth, kind="solid")
    bottom = _draw_dress_skirt(draw) if dress else _draw_bottom(draw, woman, cold)
    kinds = {
        "denim": 0.36,
        "solid": 0.34,
        "plaid": 0.07,
        "stripes": 0.05,
        "camouflage": 0.05,
        "knit": 0.05,
        "floral": 0.04,
        "dots": 0.04,
    }
    if bottom.kind == "skirt":
        kinds |= {"denim": 0.12, "floral": 0.15, "dots": 0.1, "plaid": 0.16, "stripes": 0.12}
    bottom_cloth = cloth if dress else _placed(draw_texture(draw, kinds), chest)
    shoe = draw.choice(("sneaker", "flat", "boot"), (0.5, 0.32 if woman else 0.25, 0.18 + 0.15 * cold))
    sole = (0.92, 0.91, 0.88) if shoe == "sneaker" and draw.chance(0.75) else (0.13, 0.12, 0.12)
    hat = draw.choice(("none", "beanie", "cap"), (0.91, 0.05 * cold, 0.05))
    shaft = draw.uniform(0.25, 0.48) if shoe == "boot" and (woman or draw.chance(0.3)) else 0.0
    sock = draw.uniform(0.08, 0.35) if shoe == "sneaker" and draw.chance(0.55) else 0.0
    return {
        "top": top,
        "top_cloth": cloth,
        "top_trim": _trim_of(draw, cloth),
        "inner_top": inner,
        "inner_cloth": _placed(draw_texture(draw, {"solid": 0.6, "stripes": 0.25, "logo": 0.15}), chest),
        "bottom": bottom,
        "bottom_cloth": bottom_cloth,
        "bottom_trim": _trim_of(draw, bottom_cloth),
        "dress": dress,
        "shoe": shoe,
        "shoe_cloth": _plain(draw_color(draw, 0.35), 0.12),
        "sole": _plain(sole),
        "sock": sock,
        "sock_cloth": _plain(draw_color(draw, 0.25)),
        "boot_shaft": shaft,
        "hat": hat,
        "hat_cloth": draw_texture(draw, {"solid": 0.6, "knit": 0.4}),
    }


def _draw_top(draw: Draw, woman: bool, cold: float, dress: bool) -> tuple[Top, Top | None]:
    """A top, and what is worn under it if it is open."""
    fitted = draw.uniform(0.005, 0.014) if woman else draw.uniform(0.010, 0.022)
    hem = 0.07 if dress else draw.uniform(-0.09, 0.03)
    if dress:
        sleeve = draw.choice((0.0, draw.uniform(0.2, 0.4), draw.uniform(0.8, 0.97)), (0.4, 0.35, 0.25))
        neck = draw.choice(("crew", "vee", "scoop"))
        return Top(sleeve, hem, 0.008, neck, _depth(draw, neck)), None
    weights = (
        0.38 * (1 - cold),
        0.13 * (1 - cold) * (1.6 if woman else 0.7),
        0.26,
        0.16,
        0.15 + 0.2 * cold,
        0.08 + 0.15 * cold,
    )
    kind = draw.choice(("tee", "tank", "long", "shirt", "jacket", "hoodie"), weights)
    long = draw.uniform(0.92, 0.99)
    if kind == "jacket":
        inner = Top(0.1, min(hem, 0.0) - 0.02, 0.007, "crew", draw.uniform(0.0, 0.05))
        length = draw.uniform(-0.15, 0.0)
        collar = draw.chance(0.5)
        return Top(
            long, length, fitted + 0.016, "vee", 0.03, "open", draw.uniform(0.035, 0.075), collar=collar
        ), inner
    if kind == "hoodie":
        front = draw.choice(("plain", "zip"))
        return Top(
            long, hem, fitted + 0.010, "crew", 0.02, front, hood=True, band=draw.choice((0.0, 0.045))
        ), None
    if kind == "shirt":
        sleeve = long if draw.chance(0.75) else draw.uniform(0.3, 0.42)
        return Top(sleeve, hem, fitted, "vee", draw.uniform(0.03, 0.09), "buttons", collar=True), None
    neck = draw.choice(("crew", "vee", "scoop"), (0.6, 0.2, 0.2 if woman else 0.05))
    sleeve = {"tee": draw.uniform(0.25, 0.42), "tank": 0.0, "long": long}[kind]
    band = 0.035 if draw.chance(0.18) and sleeve else 0.0
    return Top(sleeve, hem, fitted, neck, _depth(draw, neck), band=band), None


def _depth(draw: Draw, neck: str) -> float:
    return {
        "crew": draw.uniform(0.0, 0.025),
        "vee": draw.uniform(0.06, 0.12),
        "scoop": draw.uniform(0.04, 0.09),
    }[neck]


def _draw_bottom(draw: Draw, woman: bool, cold: float) -> Bottom:
    waist = draw.uniform(0.06, 0.12)
    kind = draw.choice(("trousers", "slim", "shorts", "skirt"), (0.44, 0.26, 0.30 * (1 - cold), 0.26 * woman))
    stripe = draw.chance(0.10)
    if kind == "skirt":
        skirt = _draw_dress_skirt(draw)
        return replace(skirt, waist=waist, waistband=True)
    if kind == "shorts":
        return Bottom("trousers", draw.uniform(0.22, 0.46), draw.uniform(0.010, 0.024), waist, stripe=stripe)
    if kind == "slim":
        return Bottom("trousers", draw.uniform(0.86, 1.0), draw.uniform(0.004, 0.008), waist, stripe=stripe)
    flare = draw.choice((0.0, 0.012, 0.026), (0.6, 0.3, 0.1))
    return Bottom(
        "trousers", draw.uniform(0.92, 1.02), draw.uniform(0.010, 0.020), waist, flare, stripe=stripe
    )


def _draw_dress_skirt(draw: Draw) -> Bottom:
    length = draw.choice(
        (draw.uniform(0.24, 0.38), draw.uniform(0.40, 0.58), draw.uniform(0.7, 0.88)), (0.5, 0.38, 0.12)
    )
    flare = draw.uniform(0.0, 0.13) * (0.5 + length)
    pleats = draw.choice((0, 8, 12, 18), (0.35, 0.2, 0.25, 0.2)) if flare > 0.03 else 0
    return Bottom("skirt", length, 0.018, 0.13, flare, pleats, waistband=draw.chance(0.4))


def _placed(cloth: Texture, chest: float) -> Texture:
    """Put a logo on the chest and let a gradient begin at the hips."""
    if cloth.kind == "logo":
        return replace(cloth, phase=(0.0, chest), scale=min(cloth.scale, 0.16))
    return replace(cloth, phase=(0.0, 0.0)) if cloth.kind == "gradient" else cloth


def _plain(color: Color, gloss: float = 0.0) -> Texture:
    return Texture("solid", (color, color, color), gloss=gloss)


def _trim_of(draw: Draw, cloth: Texture) -> Texture:
    """A plain cloth that goes with another: its own second colour, or a darker shade of its ground."""
    if cloth.kind not in ("solid", "denim", "knit") and draw.chance(0.6):
        return _plain(cloth.colors[1])
    shade = draw.uniform(0.62, 0.88)
    return _plain(tuple(c * shade for c in cloth.colors[0]))
