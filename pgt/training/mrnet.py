"""How MR-Net learns (Xu et al., TIP 2020, section III-B): the one place where its losses meet optimisers.

Its one stage, "rounds", draws every round of refinement and minimises Eq. 1 averaged over them; gradients run
through all rounds. The paper has no discriminator. The released code has two, off by default, whose verdict
is detached and so never reaches the generator; ours, also off by default, is one and does reach it.
"""

import torch
from torch import Tensor, nn

from pgt.config import MRNetConfig, Stage
from pgt.data.boxes import person_boxes
from pgt.data.joint_sets import JOINT_SETS
from pgt.data.person import PairBatch
from pgt.layers.discriminators import PatchDiscriminator
from pgt.losses import (
    adversarial_loss,
    l1_loss,
    perceptual_loss,
    roi_perceptual_loss,
    weighted_reconstruction_loss,
)
from pgt.models.mrnet import MRNetGenerator, MRNetInputs, person_mask
from pgt.training.adversarial import AdversarialRecipe, frozen
from pgt.training.runner import StepRunner


class MRNetRecipe(AdversarialRecipe):
    """MR-Net's networks, optimisers and training step.

    Args:
        config: sizes, losses and learning rates.
        features: pictures in [-1, 1] -> five feature maps, for Eq. 3 and 4; stands still. See
            `pgt.layers.features`.
        device: where to train; `prepare` overrides it.

    Attributes:
        nets: "generator", "d_image" if `config.adversarial_weight` > 0, and "ema", the generator's moving
            average, if `config.ema_decay` > 0.
        optimizers: "network", and "d_image" with it.
    """

    def __init__(self, config: MRNetConfig, features: nn.Module, device: torch.device | str = "cpu") -> None:
        self._features = features.requires_grad_(False).eval()
        judges = {}
        if config.adversarial_weight > 0:
            judges["d_image"] = PatchDiscriminator(
                6 + len(JOINT_SETS[config.joint_set]),
                base_channels=config.discriminator_channels,
                norm=config.discriminator_norm,
            )
        generator = MRNetGenerator.from_config(config, trained_stages=())
        super().__init__(config, generator, ("network",), judges, device)
        for group in self.optimizers["network"].param_groups:
            group["weight_decay"] = config.weight_decay

    def prepare(self, accelerator: StepRunner) -> None:
        """Move networks to the accelerator's device, in the layout convolutions like best, and wrap them."""
        super().prepare(accelerator)
        self._features.to(accelerator.device, memory_format=torch.channels_last)

    def train_step(self, batch: PairBatch, stage: Stage) -> dict[str, Tensor]:
        """Move the weights once.

        Args:
            batch: on the recipe's device. Masks or label maps say where people are; where they are missing,
                the source's mask is guessed, and boxes are those of the skeletons.
            stage: named "rounds".

        Returns:
            Unweighted terms, each the mean over the rounds: "g/reconstruction", "g/perceptual" and "g/roi";
            with a discriminator, "g/adversarial" of the last round, "d/real" and "d/fake". Those of weight 0
            are left out. Detached scalars.

        Raises:
            ValueError: another stage.
        """
        if stage.name != "rounds":
            raise ValueError(f"MR-Net has the stage 'rounds', not {stage.name!r}")
        self._note_trained(stage.name)
        self.nets["generator"].train()
        inputs = self._inputs(batch)
        rounds = self._wrapped["network"](inputs, self.config.num_rounds)

        # D learns first, on this very picture. Detached: D's update must not move the generator.
        judged = {}
        if self.config.adversarial_weight > 0:
            judged = self._judge(batch, inputs, rounds[-1].detach())
        # G: no detach here, D passes its gradient through. D's own weights are frozen meanwhile, because this
        # loss must not leave gradients for D's next update.
        terms = self._terms(batch, inputs, rounds)
        weights = {
            "g/reconstruction": 1.0,
            "g/perceptual": self.config.perceptual_weight,
            "g/roi": self.config.roi_weight,
            "g/adversarial": self.config.adversarial_weight,
        }
        if self.config.adversarial_weight > 0:
            with frozen(self.nets["d_image"]):
                terms["g/adversarial"] = adversarial_loss(self._logits(batch, inputs, rounds[-1]), True)
        self._move(sum(weights[name] * term for name, term in terms.items()), "network")
        return {name: term.detach() for name, term in (terms | judged).items()}

    def _inputs(self, batch: PairBatch) -> MRNetInputs:
        """What the branches are shown of a batch."""
        source_pose = batch.source_keypoints, batch.source_visible
        mask = person_mask(batch.source, *source_pose, batch.source_person_mask, batch.source_label_map)
        target_pose = batch.target_keypoints, batch.target_visible
        return self.nets["generator"].inputs(
            batch.source, mask, source_pose, target_pose, batch.source_label_map
        )

    def _terms(self, batch: PairBatch, inputs: MRNetInputs, rounds: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """The terms of Eq. 1, averaged over the rounds."""
        count, source_pose = len(rounds), (batch.source_keypoints, batch.source_visible)
        boxes = (
            person_boxes(*source_pose, batch.image_size, inputs.person_mask),
            self._target_boxes(batch),
        )
        drawn, true = self._seen(rounds, batch.target)
        each = [
            self._round_terms(*pair, batch.target, true, boxes) for pair in zip(rounds, drawn, strict=True)
        ]
        return {name: sum(terms[name] for terms in each) / count for name in each[0]}

    def _seen(
        self, rounds: tuple[Tensor, ...], target: Tensor
    ) -> tuple[list[tuple[Tensor, ...]], list[Tensor]]:
        """Features of every round's pictures, all computed together, and of the target's."""
        if self.config.perceptual_weight == self.config.roi_weight == 0:
            return [()] * len(rounds), []
        with self._runner.autocast():
            levels = [level.chunk(len(rounds)) for level in self._features(torch.cat(rounds))]
            with torch.no_grad():  # the truth does not move
                true = self._features(target)
        return list(zip(*levels, strict=True)), true

    def _round_terms(
        self,
        generated: Tensor,
        drawn: tuple[Tensor, ...],
        target: Tensor,
        true: list[Tensor],
        boxes: tuple[Tensor, Tensor],
    ) -> dict[str, Tensor]:
        """The terms of one round; `boxes` are those around the person in source and target."""
        config, size = self.config, (target.shape[-2], target.shape[-1])
        if config.reconstruction == "weighted":
            terms = {"g/reconstruction": weighted_reconstruction_loss(generated, target, *boxes)}
        else:
            terms = {"g/reconstruction": l1_loss(generated, target)}
        if config.perceptual_weight > 0:
            terms["g/perceptual"] = perceptual_loss(drawn, true)
        if config.roi_weight > 0:
            terms["g/roi"] = roi_perceptual_loss(drawn, true, boxes[1], size, config.roi_sizes)
        return terms

    def _target_boxes(self, batch: PairBatch) -> Tensor:
        mask = batch.target_person_mask
        if mask is None and batch.target_label_map is not None:
            mask = (batch.target_label_map > 0).unsqueeze(1)
        return person_boxes(batch.target_keypoints, batch.target_visible, batch.image_size, mask)

    def _judge(self, batch: PairBatch, inputs: MRNetInputs, drawn: Tensor) -> dict[str, Tensor]:
        """Train the discriminator once."""
        terms = {
            "d/real": adversarial_loss(self._logits(batch, inputs, batch.target), True),
            "d/fake": adversarial_loss(self._logits(batch, inputs, drawn), False),
        }
        self._move(terms["d/real"] + terms["d/fake"], "d_image")
        return terms

    def _logits(self, batch: PairBatch, inputs: MRNetInputs, picture: Tensor) -> Tensor:
        """The discriminator's answer: does the picture show this person in this pose?"""
        with self._runner.autocast():
            return self._wrapped["d_image"](picture, batch.source, inputs.pose).float()

    @torch.no_grad()  # statistics are not differentiated
    def _follow(self, name: str) -> None:
        """Move the average towards the generator's weights, and take over what its batch norms have seen."""
        super()._follow(name)
        if self.config.ema_decay > 0:
            averages, buffers = (self.nets[net].buffers() for net in ("ema", "generator"))
            for average, buffer in zip(averages, buffers, strict=True):
                average.copy_(buffer)

    @torch.no_grad()  # pictures to look at
    def sample(self, batch: PairBatch) -> dict[str, Tensor]:
        """Draw what the deployed generator makes of a batch.

        Returns:
            Pictures (B, 3, H, W) in [-1, 1]: "background", as the first round sees it, "round 1" and so on.
        """
        inputs, model = self._inputs(batch), self._deployed.eval()
        with self._runner.autocast():
            rounds = model.network(inputs, self.config.num_rounds)
        drawn = {f"round {k + 1}": picture.float() for k, picture in enumerate(rounds)}
        return {"background": inputs.background, **drawn}
