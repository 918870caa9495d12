"""How Progressive learns (2020, sections 3.1 to 3.4): level after level, each one block longer at both ends.

A stage trains one level by Eq. 4: new blocks from scratch, older ones along with them, nothing faded in, C of
Eq. 2 and 3 first L2, then L1. At the finest level local discriminators take the place of Eq. 3.

The paper leaves open, and here: Adam's state of the older blocks is kept as the network grows, the learning
rate is that of the stage; Eq. 3 adds up the regions, whose errors are means; the discriminators learn first
in a step, by log loss, on the mean over regions; X_d is cropped around the source's own joints, as X'_d is
around the target's, so that both show one part of the body.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgt.config import ProgressiveConfig, Stage
from pgt.data.descriptors import descriptor_centers
from pgt.data.person import PairBatch
from pgt.layers.local_descriptors import crop_regions, region_size
from pgt.layers.local_discriminators import LocalDiscriminator
from pgt.losses import adversarial_loss, global_perceptual_loss, level_criterion, local_perceptual_loss
from pgt.losses.local import Criterion
from pgt.models.progressive import ProgressiveGenerator, level_poses
from pgt.training.adversarial import AdversarialRecipe, frozen
from pgt.training.local_errors import perceptual_errors
from pgt.training.runner import StepRunner

PART = "autoencoder"
READOUTS = "readouts"
JUDGE = "discriminator"


class ProgressiveRecipe(AdversarialRecipe):
    """Progressive's networks, optimisers and training step.

    Args:
        config: sizes, losses and learning rates.
        features: phi of Eq. 2: pictures in [-1, 1] -> a list of features; stands still. See
            `pgt.layers.perceptual`.
        device: where to train; `prepare` overrides it.

    Attributes:
        nets: "generator", "discriminator" if the finest level has one, and "ema", the generator's moving
            average, if `config.ema_decay` > 0.
        optimizers: "autoencoder", and where they exist "readouts" and "discriminator".
    """

    def __init__(
        self, config: ProgressiveConfig, features: nn.Module, device: torch.device | str = "cpu"
    ) -> None:
        self._features = features.requires_grad_(False).eval()
        self._criterion: Criterion = "l2"
        self._grown_to = 0  # level whose weights are set to learn
        generator = ProgressiveGenerator.from_config(config, trained_stages=())
        super().__init__(config, generator, (PART, READOUTS), _judges(config), device)
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["weight_decay"] = config.weight_decay

    def prepare(self, accelerator: StepRunner) -> None:
        """Move networks to the accelerator's device, in the layout convolutions like best, and wrap them."""
        self._learn_at(self.config.level_of(self.config.stages[0].image_size))
        super().prepare(accelerator)
        self._features.to(accelerator.device)

    def set_lr(self, stage: Stage, step: int) -> None:
        """Set learning rates and criterion for a step of a stage; its first step begins the average anew."""
        super().set_lr(stage, step)
        self._criterion = level_criterion(step, stage.num_steps, self.config.l2_share)
        if step == 0:  # new blocks are about to move far: an average over many steps would lag behind
            self._updates = dict.fromkeys(self._updates, 0)

    def train_step(self, batch: PairBatch, stage: Stage) -> dict[str, Tensor]:
        """Move the weights of one level, and of all coarser ones, once.

        Args:
            batch: on the recipe's device, of the stage's size.
            stage: its size says which level.

        Returns:
            Unweighted terms, detached scalars: "g/perceptual"; "g/local" where Eq. 3 is used; with local
            discriminators "g/adversarial", "d/real" and "d/fake"; with readouts "g/readouts".

        Raises:
            ValueError: no level has the stage's size.
        """
        level = self.config.level_of(stage.image_size)
        self._grow(level)
        self._note_trained(stage.name)
        self.nets["generator"].train()
        generated, made = self._draw(batch)
        adversarial = level == self.config.num_levels and JUDGE in self.nets
        # The discriminator learns first, on this very picture.
        terms = self._judge(batch, generated.detach()) if adversarial else {}
        drawing = self._perceptual_terms(batch, generated, level)
        if adversarial:
            drawing["g/adversarial"] = self._fool(batch, generated)
        weights = {
            "g/perceptual": self.config.perceptual_weight,
            "g/local": self._local_weight(level),
            "g/adversarial": self.config.adversarial_weight,
        }
        self._move(sum(weights[name] * term for name, term in drawing.items()), PART)
        if made and READOUTS in self._wrapped:
            terms["g/readouts"] = self._read_out(made, batch.target)
        return {name: term.detach() for name, term in {**drawing, **terms}.items()}

    # --- growth ---

    def _grow(self, level: int) -> None:
        """Let the weights of a level learn; wrapped anew, for several processes share only those that do."""
        if level != self._grown_to:
            self._learn_at(level)
            for name in {PART, READOUTS} & set(self._wrapped):
                self._wrapped[name] = self._runner.prepare(getattr(self.nets["generator"], name))

    def _learn_at(self, level: int) -> None:
        self._grown_to, generator = level, self.nets["generator"]
        generator.requires_grad_(False)
        for parameter in generator.used_at(level):
            parameter.requires_grad_(True)

    @torch.no_grad()  # an average of weights is not differentiated
    def _follow(self, name: str) -> None:
        """Move the average; the statistics of batch norm, averages already, are copied."""
        super()._follow(name)
        if self.config.ema_decay > 0:
            ours, averages = (getattr(self.nets[net], name).buffers() for net in ("generator", "ema"))
            for average, buffer in zip(averages, ours, strict=True):
                average.copy_(buffer)

    # --- drawing, Eq. 2 to 4 ---

    def _draw(self, batch: PairBatch) -> tuple[Tensor, list[Tensor]]:
        """X^, in float32, and the decoder's features of coarser levels."""
        sides = [(batch.target_keypoints, batch.target_visible)]
        if self.config.source_pose_input:
            sides.append((batch.source_keypoints, batch.source_visible))
        poses = [level_poses(self.config, *side, batch.image_size) for side in sides]
        generated, made = self._wrapped[PART](batch.source, *poses)
        return generated.float(), made

    def _read_out(self, made: list[Tensor], target: Tensor) -> Tensor:
        """Let the readouts learn to show coarse levels: mean squared error to the target, made as small."""
        with self._runner.autocast():
            pictures = self._wrapped[READOUTS](made)
        loss = sum(
            F.mse_loss(picture.float(), F.adaptive_avg_pool2d(target, picture.shape[-2:]))
            for picture in pictures
        )
        self._move(loss, READOUTS)
        return loss

    def _local_weight(self, level: int) -> float:
        """Give Eq. 3's weight: at the finest level local discriminators replace it (section 3.2)."""
        replaced = level == self.config.num_levels and JUDGE in self.nets
        return self.config.top_local_weight if replaced else self.config.local_weight

    def _perceptual_terms(self, batch: PairBatch, generated: Tensor, level: int) -> dict[str, Tensor]:
        """L_global, and L_local where it has a weight."""
        with self._runner.autocast():
            errors = self._errors(generated, batch.target)
            terms = {"g/perceptual": global_perceptual_loss(errors)}
            if self._local_weight(level) > 0:
                centers, valid = self._regions(batch, level, "target")
                pair = (crop_regions(one, centers, valid) for one in (generated, batch.target))
                terms["g/local"] = local_perceptual_loss(self._errors(*pair), valid)
        return terms

    def _errors(self, generated: Tensor, target: Tensor) -> Tensor:
        weight = self.config.pixel_weight
        return perceptual_errors(self._features, generated, target, self._criterion, pixel_weight=weight)

    def _regions(self, batch: PairBatch, level: int, side: str) -> tuple[Tensor, Tensor]:
        keypoints, visible = getattr(batch, f"{side}_keypoints"), getattr(batch, f"{side}_visible")
        return descriptor_centers(keypoints, visible, self.config.descriptors[level - 1], batch.image_size)

    # --- local discriminators ---

    def _pairs(self, batch: PairBatch, judged: Tensor, is_real: bool) -> tuple[Tensor, Tensor, Tensor]:
        """What D sees of a picture: crops of the reference and of the picture, and which pairs count."""
        centers, valid = self._regions(batch, self.config.num_levels, "target")
        first, first_centers, first_valid = batch.target, centers, valid
        if is_real or self.config.fake_pair == "source":
            first = batch.source
            first_centers, first_valid = self._regions(batch, self.config.num_levels, "source")
        crops = crop_regions(first, first_centers), crop_regions(judged, centers)
        return *crops, (first_valid & valid).flatten()

    def _judge(self, batch: PairBatch, generated: Tensor) -> dict[str, Tensor]:
        """Train D: (X_d, X'_d) is real, (X_d, X^_d) is fake."""
        terms = {}
        for name, picture, is_real in (("d/real", batch.target, True), ("d/fake", generated, False)):
            *crops, valid = self._pairs(batch, picture, is_real)
            logits = self._wrapped[JUDGE](*crops).float()
            terms[name] = adversarial_loss(logits, is_real, valid=valid)
        self._move(terms["d/real"] + terms["d/fake"], JUDGE)
        return terms

    def _fool(self, batch: PairBatch, generated: Tensor) -> Tensor:
        """The generator's side: no detach here, and D's own weights stand still."""
        *crops, valid = self._pairs(batch, generated, False)
        with frozen(self.nets[JUDGE]) as judge, self._runner.autocast():
            logits = judge(*crops).float()
        return adversarial_loss(logits, is_real=True, valid=valid)

    @torch.no_grad()  # pictures to look at
    def sample(self, batch: PairBatch) -> dict[str, Tensor]:
        """Draw what the deployed generator makes of a batch: "level 1" and so on, and "generated".

        Pictures (B, 3, H, W), nominally in [-1, 1].
        """
        model = self._deployed.eval()
        with self._runner.autocast():
            output = model(
                batch.source,
                batch.target_keypoints,
                batch.target_visible,
                batch.source_keypoints,
                batch.source_visible,
            )
        size = (batch.source.shape[-2], batch.source.shape[-1])
        coarse = {
            f"level {k + 1}": F.interpolate(picture.float(), size, mode="nearest")
            for k, picture in enumerate(output.levels[:-1])
        }
        return {**coarse, "generated": output.generated.float()}


def _judges(config: ProgressiveConfig) -> dict[str, nn.Module]:
    """Build the local discriminators of the finest level, if there are any."""
    num_regions = config.descriptors[-1]
    if config.adversarial_weight == 0 or num_regions == 0:
        return {}
    return {
        JUDGE: LocalDiscriminator(
            region_size(config.image_size),
            1 if config.shared_discriminator else num_regions,
            base_channels=config.discriminator_channels,
            norm=config.discriminator_norm,
        )
    }
