"""MR-Net: person images in non-iconic views, by branches and rounds of refinement (Xu et al., TIP 2020).

The source picture is cut in two by the person's mask. One encoder reads the target pose, and guides a second
one that reads the person; a third reads the background and its hole. A decoder joins them. The picture it
draws then takes the place of the background, and is drawn again: round by round the hole fills up.

Symbols: I_r `source`; M `person_mask`; I_h `foreground`; I_bkg `background`; I_tp heat maps of the target;
I_s,k `refinements`; I_s `generated`; E_p, E_fg `PersonEncoder`; E_bkg `BackgroundEncoder`; D `Decoder`.

Deviations. The paper's list of layers puts Down and Up2 behind the convolutions, and so do we; the released
code has them before (`resampling`), so that its last convolution, other than the listed one, draws at full
size. Its other variants are the fields `guidance`, `fusion`, `dilated_padding` and `output_norm`. Behind its
non-local blocks stands a ReLU that keeps them from ever learning (`NonLocalBlock`); ours have none. Where the
paper is silent we follow that code: heat maps of discs (the paper's I_tp has three channels), the mask of the
source in every round, gradients through all rounds. Ours, off in the paper's presets: `output` "full_size",
`blend`, `filled_hole`, `source_pose_input`, `warped_input`, `appearance_code`, `norm` "none"; a mask that
nobody gives is guessed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from pgt.config import PUBLIC_HOME, MRNetConfig
from pgt.data.joint_sets import JOINT_SETS
from pgt.data.pose import PoseEncoding
from pgt.layers.compositing import composite
from pgt.layers.conv_norm import ConvNorm
from pgt.layers.inpainting import remove_person
from pgt.models.mrnet_networks import BackgroundEncoder, Decoder, PersonEncoder, appearance_code
from pgt.models.part_warp import carry_parts, find_parts, guess_person_mask

MRNET_STAGES = ("rounds",)
BLEND_START = -2.0  # the logit of covering: fresh networks leave the background nearly as it is


class MRNetInputs(NamedTuple):
    """What the branches are shown, all (B, ., H, W)."""

    pose: Tensor  # heat maps of the target's joints
    foreground: Tensor  # I_h, 3 channels in [-1, 1], 0 outside the person
    background: Tensor  # I_bkg, 3 channels in [-1, 1], 0 where the person was, or filled
    person_mask: Tensor  # M, 1 channel of 0 and 1
    source_pose: Tensor | None  # heat maps of the source's joints, if the model reads them
    warped: Tensor | None  # the person's parts in the target pose, on 0, and their coverage: 4 channels


class MRNetOutput(NamedTuple):
    """What the generator draws, pictures (B, 3, H, W) in [-1, 1]."""

    refinements: tuple[Tensor, ...]  # one per round
    generated: Tensor  # the last of them
    foreground: Tensor  # what E_fg saw: the person cut out
    background: Tensor  # what E_bkg saw in the first round: the rest


class RefinementNetwork(nn.Module):
    """All branches and the decoder: the part of MR-Net that has weights.

    Args:
        config: sizes.
    """

    def __init__(self, config: MRNetConfig) -> None:
        super().__init__()
        self.config = config
        joints = len(JOINT_SETS[config.joint_set])
        person_channels = 3 + joints * config.source_pose_input + 4 * config.warped_input
        self.person_encoder = PersonEncoder(config, joints, person_channels)
        self.background_encoder = BackgroundEncoder(config, 4)
        self.decoder = Decoder(config, self.person_encoder.out_channels, 3 + config.blend)
        _initialise(self, config)

    def forward(self, inputs: MRNetInputs, num_rounds: int) -> tuple[Tensor, ...]:
        """Draw `num_rounds` pictures (B, 3, H, W) in [-1, 1], each from the one before (section III-B.4)."""
        person = [inputs.foreground, inputs.source_pose, inputs.warped]
        person = torch.cat([seen for seen in person if seen is not None], dim=1)
        levels = self.person_encoder(inputs.pose, person)
        code = appearance_code(levels, inputs.person_mask) if self.config.appearance_code else None
        begun = self.decoder.begin(levels, code)

        seen, rounds = inputs.background, []
        for _ in range(num_rounds):
            features = self.background_encoder(torch.cat([seen, inputs.person_mask], dim=1))
            seen = self._picture(self.decoder.finish(begun, levels, *features).float(), inputs)
            rounds.append(seen)
        return tuple(rounds)

    def _picture(self, drawn: Tensor, inputs: MRNetInputs) -> Tensor:
        """Blended, every round shows the source's own background, so that what is off does not add up.

        A hole is always drawn, since nothing is known there; unless it has been filled.
        """
        if not self.config.blend:
            return drawn.tanh()
        cover = drawn[:, 3:].sigmoid()
        if not self.config.filled_hole:
            cover = torch.maximum(cover, inputs.person_mask)
        return composite(drawn[:, :3].tanh(), inputs.background, cover)


class MRNetGenerator(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="pgt",
    tags=["pose-guided-person-image-generation", "image-to-image"],
    license="mit",
    repo_url=PUBLIC_HOME or None,
):
    """MR-Net as saved and loaded.

    Args:
        settings: the fields of an `MRNetConfig` as plain data; `from_config` takes the config itself.
        trained_stages: names of the stages that the weights have been through.

    Attributes:
        config: the `MRNetConfig`.
        network: everything that has weights.
        pose_encoding: how this model draws its heat maps, of the joints of `config.joint_set`.
    """

    def __init__(self, settings: Mapping[str, Any], trained_stages: Sequence[str] = MRNET_STAGES) -> None:
        super().__init__()
        self.config = config = MRNetConfig.from_dict(settings)
        self.trained_stages = tuple(trained_stages)
        self.pose_encoding = PoseEncoding(
            config.pose_kind, radius=config.pose_radius, sigma=config.pose_sigma
        )
        self.network = RefinementNetwork(config)

    @classmethod
    def from_config(
        cls, config: MRNetConfig, trained_stages: Sequence[str] = MRNET_STAGES
    ) -> "MRNetGenerator":
        """Build a generator with fresh weights."""
        return cls(settings=config.to_dict(), trained_stages=list(trained_stages))

    def forward(
        self,
        source: Tensor,
        source_keypoints: Tensor,
        source_visible: Tensor,
        target_keypoints: Tensor,
        target_visible: Tensor,
        source_person_mask: Tensor | None = None,
        source_label_map: Tensor | None = None,
        *,
        num_rounds: int | None = None,
    ) -> MRNetOutput:
        """Draw the person of `source` in another pose, in the same scene.

        Args:
            source: (B, 3, H, W) in [-1, 1], of `config.image_size`.
            source_keypoints, target_keypoints: (B, 18, 2) float, (x, y) pixels.
            source_visible, target_visible: (B, 18) bool.
            source_person_mask: (B, 1, H, W) of 0 and 1, see `person_mask`.
            source_label_map: (B, H, W) int64, see `person_mask`.
            num_rounds: K; as trained by default, and may be more or fewer.

        Raises:
            ValueError: a picture of another size, or less than one round.
        """
        config, size = self.config, (source.shape[-2], source.shape[-1])
        if size != config.image_size:
            raise ValueError(f"source is {size}, this model draws {config.image_size}")
        num_rounds = config.num_rounds if num_rounds is None else num_rounds
        if num_rounds < 1:
            raise ValueError(f"num_rounds must be at least 1, got {num_rounds}")
        joints = (source_keypoints, source_visible), (target_keypoints, target_visible)
        mask = person_mask(source, *joints[0], source_person_mask, source_label_map)
        inputs = self.inputs(source, mask, *joints, source_label_map)
        refinements = self.network(inputs, num_rounds)
        return MRNetOutput(refinements, refinements[-1], inputs.foreground, inputs.background)

    def inputs(
        self,
        source: Tensor,
        mask: Tensor,
        from_pose: tuple[Tensor, Tensor],
        to_pose: tuple[Tensor, Tensor],
        label_map: Tensor | None = None,
    ) -> MRNetInputs:
        """Cut the source in two and draw the heat maps.

        Args:
            source: (B, 3, H, W) in [-1, 1].
            mask: (B, 1, H, W) of 0 and 1, the person.
            from_pose, to_pose: keypoints (B, 18, 2), (x, y) pixels, and visible (B, 18) bool.
            label_map: (B, H, W) int64, if known; parts are told apart by it where `config.warped_input`.
        """
        config, size = self.config, (source.shape[-2], source.shape[-1])
        pose, warped = self._heat_maps(to_pose, source), None
        source_pose = self._heat_maps(from_pose, source) if config.source_pose_input else None
        if config.warped_input:
            body, target = find_parts(*from_pose, size), find_parts(*to_pose, size)
            carried = carry_parts(source, torch.zeros_like(source), body, target, mask, label_map)
            warped = torch.cat([carried.generated, carried.coverage], dim=1)
        background = remove_person(source, mask) if config.filled_hole else source * (1 - mask)
        return MRNetInputs(pose, source * mask, background, mask, source_pose, warped)

    def _heat_maps(self, joints: tuple[Tensor, Tensor], like: Tensor) -> Tensor:
        points, seen = JOINT_SETS[self.config.joint_set].from_openpose18(*joints)
        return self.pose_encoding(points, seen, (like.shape[-2], like.shape[-1]))


def person_mask(
    source: Tensor,
    keypoints: Tensor,
    visible: Tensor,
    mask: Tensor | None = None,
    label_map: Tensor | None = None,
) -> Tensor:
    """Say where the person is, as the paper has a Mask-RCNN say it.

    Args:
        source: (B, 3, H, W) in [-1, 1].
        keypoints: (B, 18, 2) float, (x, y) pixels. visible: (B, 18) bool.
        mask: (B, 1, H, W), where it is known.
        label_map: (B, H, W) int64, read in its place: the mask is what is not background.

    Returns:
        (B, 1, H, W) float of 0 and 1; guessed from skeleton and colours where neither is given.
    """
    if mask is not None:
        return (mask > 0.5).to(source)
    if label_map is not None:
        return (label_map > 0).to(source).unsqueeze(1)
    return guess_person_mask(source, find_parts(keypoints, visible, (source.shape[-2], source.shape[-1])))


def _initialise(network: RefinementNetwork, config: MRNetConfig) -> None:
    """Draw weights anew where the config says so, and let fresh networks cover nothing of the background."""
    if config.initialisation == "he":
        for layer in network.modules():
            if isinstance(layer, ConvNorm):
                nn.init.kaiming_normal_(layer.conv.weight, nonlinearity="relu")
                nn.init.zeros_(layer.conv.bias)
    if config.blend:
        with torch.no_grad():  # first values are not learnt
            network.decoder.output.conv.bias.copy_(torch.tensor([0.0, 0.0, 0.0, BLEND_START]))
