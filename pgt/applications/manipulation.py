"""Clothing texture transfer and controlled manipulation (Song et al., TPAMI 2021, section 4.4, Figs. 18, 19).

The paper shows the foreground network's whole person. Around it, we keep the given picture: with pose and map
kept, its background is known. What an edit uncovers is drawn by the background network (Eq. 6).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pgt.applications.drawing import (
    Look,
    Redrawn,
    checked_generator,
    checked_label_map,
    checked_labels,
    checked_person,
    draw_foreground,
    fitted,
    joined,
)
from pgt.data.person import Person, signed_to_uint8, uint8_to_signed
from pgt.layers.compositing import composite
from pgt.layers.inpainting import remove_person
from pgt.models.spt import SPTGenerator
from pgt.predictor import Predictor

WHERE = ("person", "changed")


def transfer_clothing_texture(
    model: SPTGenerator | Predictor, a: Person, b: Person, *, labels: Sequence[int] | None = None
) -> tuple[Redrawn, Redrawn]:
    """Exchange the textures of two people, region by region (section 4.4, "Clothing Texture Transfer").

    Each keeps pose, semantic map and background; the appearance encoder is given the other one's picture,
    map and pose.

    Args:
        model: an SPT generator with any weights, put into evaluation mode, or its predictor.
        a, b: people with semantic maps, in pictures of any size.
        labels: regions that are drawn anew, for example `drawing.CLOTHES` to keep faces and skin; by default
            the whole person, as in the paper.

    Returns:
        `a` in the textures of `b`, and `b` in those of `a`.

    Raises:
        ValueError: one sentence: another kind of model or person, no map, no joint, or an unknown label.
    """
    generator = checked_generator(model)
    people = [fitted(checked_person(one, f"person {name}"), generator) for one, name in ((a, "A"), (b, "B"))]
    chosen = None if labels is None else checked_labels(labels)
    looks = [Look(one.label_map, one.pose, one.image) for one in people]
    drawn = draw_foreground(generator, looks[::-1], looks)
    return tuple(
        _joined_with(one, picture, one.label_map > 0 if chosen is None else np.isin(one.label_map, chosen))
        for one, picture in zip(people, drawn, strict=True)
    )


def redraw(
    model: SPTGenerator | Predictor, person: Person, label_map: np.ndarray, *, where: str = "person"
) -> Redrawn:
    """Draw a person by an edited semantic map (section 4.4, "Controlled Image Manipulation").

    Args:
        model: an SPT generator with any weights, put into evaluation mode, or its predictor.
        person: with a semantic map, in a picture of any size.
        label_map: (H, W) whole numbers 0 to 9, of the size of the person's picture; painted by hand or made
            by `edits`.
        where: "person": the whole person of the new map is drawn anew, as in the paper; or "changed": only
            pixels whose label differs from the person's own map, so that the same map changes nothing.

    Returns:
        The result in the model's frame. Where the old map has a person and the new one none, it shows the
        background network's picture (without that network: the surroundings, continued); in all other
        pixels outside the mask the given picture.

    Raises:
        ValueError: one sentence: another kind of model, a person without map or joints, a map of another
            type or size or with unknown labels, or an unknown `where`.
    """
    generator = checked_generator(model)
    checked_person(person)
    new_map = checked_label_map(label_map, person.image_size)
    if where not in WHERE:
        raise ValueError(f'where must be "person" or "changed"; got {where!r}.')
    one = fitted(person, generator)
    wanted = fitted(person, generator, new_map).label_map
    look = Look(one.label_map, one.pose, one.image)
    drawn = draw_foreground(generator, [look], [Look(wanted, one.pose)])[0]
    mask = wanted > 0 if where == "person" else (wanted > 0) & (wanted != one.label_map)
    return _joined_with(
        one, drawn, mask, wanted, _behind(generator, one, (wanted == 0) & (one.label_map > 0))
    )


def _joined_with(
    one: Person,
    drawn: Tensor,
    mask: np.ndarray,
    label_map: np.ndarray | None = None,
    behind: Tensor | None = None,
) -> Redrawn:
    """Join what was drawn (3, H, W) with a person's picture, or with what lies behind the person."""
    base = uint8_to_signed(one.image) if behind is None else behind
    return Redrawn(
        image=joined(drawn, base, mask),
        drawn=signed_to_uint8(drawn).numpy(),
        label_map=one.label_map if label_map is None else label_map,
        mask=mask,
        base=one.image,
        pose=one.pose,
        name=one.name,
    )


@torch.inference_mode()
def _behind(generator: SPTGenerator, one: Person, uncovered: np.ndarray) -> Tensor | None:
    """Return the picture, its uncovered pixels completed, (3, H, W) in [-1, 1]; None if there are none."""
    if not uncovered.any():
        return None
    device = next(generator.parameters()).device
    picture = uint8_to_signed(one.image)[None].to(device)
    hole = torch.from_numpy(one.label_map > 0).float()[None, None].to(device)
    if generator.background is None:
        scene = remove_person(picture, hole)
    else:
        scene = generator.background(picture, hole)
    return composite(scene.float(), picture, torch.from_numpy(uncovered).float().to(device)).cpu()[0]
