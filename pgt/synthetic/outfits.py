"""The same person in other clothes: the truth that applications of map editing and try-on are scored by.

Body, pose, camera, light and background stay as they are, so two pictures of one spec differ only where cloth
was changed (and by the shadow it throws). An outfit is an `Identity` with some fields exchanged, rendered
with `dressed(spec, identity)`.
"""

from collections.abc import Sequence
from dataclasses import replace

from pgt.synthetic.garments import Bottom
from pgt.synthetic.people import SceneSpec
from pgt.synthetic.wardrobe import Identity

# The fields of an identity that each garment is made of.
GARMENTS = {
    "top": ("top", "top_cloth", "top_trim", "inner_top", "inner_cloth"),
    "bottom": ("bottom", "bottom_cloth", "bottom_trim", "dress"),
    "shoes": ("shoe", "shoe_cloth", "sole", "sock", "sock_cloth", "boot_shaft"),
}
TEXTURES = ("top_cloth", "top_trim", "inner_cloth", "bottom_cloth", "bottom_trim")


def dressed(spec: SceneSpec, identity: Identity) -> SceneSpec:
    """Return the same scene with its person dressed as `identity` (made from `spec.identity`)."""
    return replace(spec, wearing=identity)


def dressed_as(identity: Identity, other: Identity, garments: Sequence[str] = ("top",)) -> Identity:
    """Put garments of another person on a body.

    Args:
        identity: whose body and whose other garments.
        other: whose garments.
        garments: names of `GARMENTS`. Top and bottom of a dress are one garment: if either person wears one,
            both come along.

    Raises:
        ValueError: a garment of another name.
    """
    unknown = set(garments) - set(GARMENTS)
    if unknown:
        raise ValueError(f"There is no garment {sorted(unknown)[0]!r}; there are {', '.join(GARMENTS)}.")
    chosen = set(garments)
    if (identity.dress or other.dress) and chosen & {"top", "bottom"}:
        chosen |= {"top", "bottom"}
    return replace(identity, **{name: getattr(other, name) for part in chosen for name in GARMENTS[part]})


def in_textures_of(identity: Identity, other: Identity) -> Identity:
    """Keep the cut of all clothes and take another person's cloth, top from top, bottom from bottom."""
    return replace(identity, **{name: getattr(other, name) for name in TEXTURES})


def with_sleeves(identity: Identity, share: float) -> Identity:
    """Cut the sleeves of the top to a share of the arm: 0 none, 0.95 long."""
    return replace(identity, top=replace(identity.top, sleeve=share))


def in_trousers(identity: Identity, length: float = 0.95) -> Identity:
    """Exchange the lower garment, also that of a dress, for trousers of the same cloth, down to `length`."""
    trousers = Bottom("trousers", length, 0.012, 0.09)
    return replace(identity, bottom=trousers, dress=False, sock=0.0, boot_shaft=0.0)


def in_skirt(identity: Identity, length: float = 0.45) -> Identity:
    """Exchange the lower garment for a flared skirt of the same cloth, down to `length` of the leg."""
    return replace(identity, bottom=Bottom("skirt", length, 0.018, 0.10, flare=0.05), dress=False, sock=0.0)
