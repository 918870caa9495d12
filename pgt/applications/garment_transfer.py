"""Garment transfer in two steps (Progressive, 2020, section 4.5, "Virtual try-on", and Fig. 9).

First a pose-transfer model draws both people in a pre-defined frontal pose, in which nothing hides their
clothes. Then the appearance-flow network warps the reference's garment by the two garment masks, which a
human parser finds in both pictures, and the warped garment is laid over the target.

Where the paper is silent: the pose is `pgt.synthetic.frontal`'s; the new garment takes the place, and so the
outline, of the one that the target wears; and the two are joined by that garment's binary mask, so hair and
arms before it stay the target's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pgt.applications.drawing import checked_person, joined
from pgt.checkpoint import load
from pgt.data.person import Person, signed_to_uint8, uint8_to_signed
from pgt.data.pose import Pose
from pgt.models.garment_flow import GARMENTS, GarmentFlowNetwork, continue_garment, warp_by_flow
from pgt.models.human_parser import HumanParser
from pgt.predictor import PARSER, Predictor, fit_person
from pgt.synthetic.frontal import frontal_pose


@dataclass(frozen=True, eq=False)
class GarmentTransfer:
    """The target person in clothes of the reference person, and the steps to it, in one frame (H, W).

    Args:
        image: (H, W, 3) uint8, the result: `garment` where `mask` is True, the target's picture elsewhere.
        garment: (H, W, 3) uint8, the warped garments on white.
        mask: (H, W) bool, where they are.
        flow: (H, W, 2) float32, (x, y) in pixels: a pixel of a garment was fetched from this far away. Zero
            outside the mask.
        reference, target: the two people that the garment was warped between, with their maps; after
            `transfer_garment` in the frontal pose.
    """

    image: np.ndarray
    garment: np.ndarray
    mask: np.ndarray
    flow: np.ndarray
    reference: Person
    target: Person

    @property
    def person(self) -> Person:
        """The result as a person with pose and map, for the next application."""
        labels = self.target.label_map
        return Person(self.image, self.target.pose, labels, labels > 0, name=self.target.name)


def transfer_garment(
    predictor: Predictor,
    network: GarmentFlowNetwork,
    reference: Person,
    target: Person,
    *,
    garments: Sequence[str] = ("upper",),
    pose: Pose | None = None,
    parser: HumanParser | None = None,
    draw_reference: bool = True,
) -> GarmentTransfer:
    """Dress a person in clothes of another: both steps.

    Args:
        predictor: of any pose-transfer model; brings both people into the frontal pose.
        network: the appearance flow, with any weights; put into evaluation mode.
        reference: whose clothes, in a picture of any size.
        target: who puts them on, in a picture of any size.
        garments: "upper" (upper clothes, dresses) and "lower" (pants, skirts), one or both.
        pose: another pose than `frontal_pose`, in a frame of any size.
        parser: finds the garments in pictures of models that draw no map; the bundled one by default.
        draw_reference: bring the reference into the frontal pose too, as in Fig. 9. The paper's text speaks
            of the target alone; with False the garment is taken from the reference's own picture, which then
            needs a semantic map: sharper, but only what it shows.

    Returns:
        The result in the pose-transfer model's frame (of one without a frame, in the target's).

    Raises:
        ValueError: one sentence: a wrong model, person or garment, or a garment that was found in only one of
            the frontal pictures.
    """
    if not isinstance(predictor, Predictor):
        raise ValueError(f"the pose-transfer model must be a Predictor; got {type(predictor).__name__}.")
    for person, what in ((reference, "the reference"), (target, "the target")):
        if not isinstance(person, Person):
            raise ValueError(f"{what} must be a Person; got {type(person).__name__}.")
    _checked(network, garments)
    if predictor.image_size is None:
        reference = fit_person(reference, target.image_size)
    if draw_reference:
        reference = bring_into_pose(predictor, reference, pose, parser=parser)
    target = bring_into_pose(predictor, target, pose, parser=parser)
    return fit_garment(network, reference, target, garments=garments)


def bring_into_pose(
    predictor: Predictor, person: Person, pose: Pose | None = None, *, parser: HumanParser | None = None
) -> Person:
    """Draw a person in the frontal pose and label the picture: the first step.

    Args:
        predictor, pose, parser: as in `transfer_garment`.
        person: in a picture of any size.

    Returns:
        The person as drawn, with the pose and the map that the model drew by or, if it draws by none, the
        map that the parser finds.

    Raises:
        ValueError: a person without visible joints, or a pose without any.
    """
    drawn = predictor.generate(person, frontal_pose(person.image_size) if pose is None else pose)
    labels = drawn.label_map
    if labels is None:
        parser = load(PARSER, quiet=True) if parser is None else parser
        labels = parser.find_labels(uint8_to_signed(drawn.image)[None])[0].cpu().numpy().astype(np.uint8)
    return Person(drawn.image, drawn.target, labels, labels > 0, name=person.name)


@torch.inference_mode()
def fit_garment(
    network: GarmentFlowNetwork, reference: Person, target: Person, *, garments: Sequence[str] = ("upper",)
) -> GarmentTransfer:
    """Warp clothes of one person onto another: the second step, for people in about the same pose.

    Args:
        network: the appearance flow, with any weights; put into evaluation mode.
        reference: with a semantic map; fitted into the target's frame.
        target: with a semantic map, which may be an edited one: the garment fills its region there.
        garments: as in `transfer_garment`.

    Returns:
        The result in the target's frame.

    Raises:
        ValueError: one sentence: a wrong network or garment, a person without map, or one who does not wear
            such a garment.
    """
    _checked(network, garments)
    target = checked_person(target, "the target")
    reference = fit_person(checked_person(reference, "the reference"), target.image_size)
    device = next(network.parameters()).device
    pixels = uint8_to_signed(reference.image)[None].to(device)
    joints = [torch.from_numpy(one.keypoints)[None].to(device) for one in (reference, target)]
    both = torch.from_numpy(reference.visible & target.visible)[None].to(device)
    cloth, flows = torch.ones(1, 3, *target.image_size), torch.zeros(1, *target.image_size, 2)
    mask = torch.zeros(1, 1, *target.image_size)
    for garment in garments:
        worn = _worn(reference, garment, "the reference").to(device)
        wanted = _worn(target, garment, "the target").to(device)
        flow = network(pixels, worn, wanted, *joints, both).flow
        warped = warp_by_flow(continue_garment(pixels, worn), flow).cpu()
        shown = wanted.cpu()
        cloth = torch.where(shown > 0, warped, cloth)
        flows = torch.where(shown[:, 0, ..., None] > 0, flow.cpu(), flows)
        mask = torch.maximum(mask, shown)
    region = mask[0, 0].numpy() > 0
    return GarmentTransfer(
        image=joined(cloth[0], uint8_to_signed(target.image), region),
        garment=signed_to_uint8(cloth[0]).numpy(),
        mask=region,
        flow=flows[0].numpy(),
        reference=reference,
        target=target,
    )


def _checked(network: GarmentFlowNetwork, garments: Sequence[str]) -> None:
    """Refuse another network and unknown garments; put the network into evaluation mode."""
    if not isinstance(network, GarmentFlowNetwork):
        raise ValueError(f"the flow comes from a GarmentFlowNetwork; got {type(network).__name__}.")
    if isinstance(garments, str) or not garments or not set(garments) <= set(GARMENTS):
        raise ValueError(f"garments is a list of {' and '.join(map(repr, GARMENTS))}; got {garments!r}.")
    network.eval()


def _worn(person: Person, garment: str, what: str) -> Tensor:
    """Return the mask (1, 1, H, W) of a garment that somebody wears."""
    mask = np.isin(person.label_map, GARMENTS[garment])
    if not mask.any():
        raise ValueError(f"{what} shows no {garment} garment, so there is nothing to transfer.")
    return torch.from_numpy(mask).float()[None, None]
