"""How PG2 learns (Ma et al. 2017, sections 3.1, 3.2 and 4.1): the one place where its losses meet optimisers.

Stage "coarse" trains G1 by Eq. 1; "refine" trains D by Eq. 2 and then G2 by Eq. 3 and 4 while G1 stands
still; "one_stage" is the paper's G1 + D, where G1 takes G2's place. It knows nothing of loops or files.
"""

import torch
from torch import Tensor, nn

from pgt.config import PG2Config, Stage
from pgt.data.person import PairBatch
from pgt.layers.discriminators import Discriminator
from pgt.losses import adversarial_loss, l1_loss, pose_mask_l1_loss
from pgt.models.pg2 import PG2Generator
from pgt.training.adversarial import AdversarialRecipe, frozen


class PG2Recipe(AdversarialRecipe):
    """PG2's networks, optimisers and training step.

    Args:
        config: sizes, losses and learning rates.
        device: where to train; `prepare` overrides it.

    Attributes:
        nets: "generator", "discriminator", and "ema", the generator's moving average, if
            `config.ema_decay` > 0.
        optimizers: "coarse", "refine" (two-stage only) and "discriminator".
    """

    def __init__(self, config: PG2Config, device: torch.device | str = "cpu") -> None:
        discriminator = Discriminator(
            config.image_size,
            num_pictures=2 if config.discriminator_input == "pair" else 1,
            base_channels=config.discriminator_channels,
            norm=config.discriminator_norm,
        )
        generator = PG2Generator.from_config(config, trained_stages=())
        super().__init__(config, generator, ("coarse", "refine"), {"discriminator": discriminator}, device)

    def train_step(self, batch: PairBatch, stage: Stage) -> dict[str, Tensor]:
        """Move the weights of one stage once.

        Args:
            batch: on the recipe's device, encoded with the generator's `pose_encoding`.
            stage: its name says which step runs.

        Returns:
            Unweighted terms: "g/l1"; in adversarial stages also "g/adversarial", "d/real" and "d/fake" (the
            triplet discriminator's "d/source" too). Detached scalars.

        Raises:
            ValueError: a stage that this model does not have.
        """
        names = ("one_stage",) if self.config.one_stage else ("coarse", "refine")
        if stage.name not in names:
            raise ValueError(f"this PG2 has the stages {names}, not {stage.name!r}")
        self._note_trained(stage.name)
        step = {"coarse": self._coarse_step, "refine": self._refine_step, "one_stage": self._one_stage_step}
        return {name: term.detach() for name, term in step[stage.name](batch).items()}

    def _coarse_step(self, batch: PairBatch) -> dict[str, Tensor]:
        """G1 alone, Eq. 1."""
        l1 = self._l1(self._draw_coarse(self._wrapped["coarse"], batch), batch)
        self._move(l1, "coarse")
        return {"g/l1": l1}

    def _refine_step(self, batch: PairBatch) -> dict[str, Tensor]:
        """D, then G2; G1 stays as stage "coarse" left it."""
        with torch.no_grad(), self._runner.autocast():  # G1 is not trained in this stage
            coarse = self._draw_coarse(self._deployed.coarse, batch).float()
        refined = coarse + self._wrapped["refine"](batch.source, coarse)
        return self._adversarial_step(batch, refined, "refine")

    def _one_stage_step(self, batch: PairBatch) -> dict[str, Tensor]:
        """D, then G1 with the losses of G2."""
        return self._adversarial_step(batch, self._draw_coarse(self._wrapped["coarse"], batch), "coarse")

    def _adversarial_step(self, batch: PairBatch, generated: Tensor, trained: str) -> dict[str, Tensor]:
        """One update of the discriminator, then one of the generator half named `trained`."""
        # D learns first, on this very picture. Detached: D's update must not move the generator.
        terms = self._discriminator_terms(batch, generated.detach())
        weights = {"d/real": 1.0, "d/fake": 1.0}  # Eq. 2
        if self.config.discriminator_input == "triplet":
            weights = {"d/real": 0.5, "d/fake": 0.25, "d/source": 0.25}  # released code
        self._move(sum(weights[name] * term for name, term in terms.items()), "discriminator")

        # G: fool D (Eq. 3), stay near the target (Eq. 4). No detach: D passes its gradient through. Its own
        # weights are frozen meanwhile, because this loss must not leave gradients for D's next update.
        with frozen(self.nets["discriminator"]) as discriminator:
            logits = discriminator(*self._judged(batch, generated))
            terms["g/adversarial"] = adversarial_loss(logits, is_real=True)
            terms["g/l1"] = self._l1(generated, batch)
            self._move(terms["g/adversarial"] + self.config.l1_weight * terms["g/l1"], trained)
        return terms

    def _discriminator_terms(self, batch: PairBatch, generated: Tensor) -> dict[str, Tensor]:
        judge = self._wrapped["discriminator"]
        real_logits = judge(*self._judged(batch, batch.target))
        fake_logits = judge(*self._judged(batch, generated))
        terms = {
            "d/real": adversarial_loss(real_logits, is_real=True),
            "d/fake": adversarial_loss(fake_logits, is_real=False),
        }
        if self.config.discriminator_input == "triplet":
            terms["d/source"] = adversarial_loss(judge(batch.source), is_real=False)
        return terms

    def _judged(self, batch: PairBatch, picture: Tensor) -> tuple[Tensor, ...]:
        """What D is shown: with the source, so that "plausible" means "of this person" (section 3.2)."""
        return (batch.source, picture) if self.config.discriminator_input == "pair" else (picture,)

    def _draw_coarse(self, coarse: nn.Module, batch: PairBatch) -> Tensor:
        coordinates = self.nets["generator"].coordinates(batch.target_keypoints, batch.target_visible)
        source_pose = batch.source_pose if self.config.source_pose_input else None
        return coarse(batch.source, batch.target_pose, coordinates, source_pose)

    def _l1(self, generated: Tensor, batch: PairBatch) -> Tensor:
        if self.config.mask_weighting:
            return pose_mask_l1_loss(generated, batch.target, batch.target_pose_mask)
        return l1_loss(generated, batch.target)

    @torch.no_grad()  # pictures to look at
    def sample(self, batch: PairBatch) -> dict[str, Tensor]:
        """Draw what the deployed generator makes of a batch.

        Returns:
            Pictures (B, 3, H, W), nominally in [-1, 1]: "coarse"; once stage "refine" has begun also
            "difference_map" and "refined".
        """
        with self._runner.autocast():
            output = self._deployed(
                batch.source,
                batch.target_pose,
                target_keypoints=batch.target_keypoints,
                target_visible=batch.target_visible,
                source_pose=batch.source_pose if self.config.source_pose_input else None,
            )
        pictures = output._asdict()
        if output.difference_map is None:
            pictures = {"coarse": output.coarse}
        return {name: picture.float() for name, picture in pictures.items()}
