"""How SPT learns without pairs (Song et al., TPAMI 2021, section 3, Algorithms 1 and 2).

Stage "semantic" trains H_S on pseudo-labels by Eq. 3 to 5. Stage "appearance" (Algorithm 1) trains H_A: from
the source to the target pose and, with the picture just drawn, back again, judged by Eq. 7 to 12; then the
background network alone on scenes without people, Eq. 13, with which stage "background" (ours) goes on. Stage
"end_to_end" (Algorithm 2, step 4) trains H_S through H_A, the background network standing still. Stage "fine"
is "appearance" once more at twice the size, with a new level of H_A faded in (section 4.1).

Of a batch's target only the pose is read, and its map where the stage is taught by it: by the pseudo-label
in stage "semantic", by the true one for guidance "true". No target picture reaches any loss.
"""

from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from pgt.config import SPTConfig, Stage
from pgt.data.faces import crop_faces
from pgt.data.person import PairBatch
from pgt.layers.compositing import hole_in
from pgt.layers.discriminators import PatchDiscriminator
from pgt.losses import (
    adversarial_loss,
    content_loss,
    l1_loss,
    pose_loss,
    reconstruction_loss,
    semantic_cross_entropy,
)
from pgt.models.pose_estimator import PoseEstimator
from pgt.models.spt import SPTGenerator, SPTOutput, appearance_warps, draw_appearance, transform_parsing
from pgt.training.adversarial import AdversarialRecipe, frozen
from pgt.training.runner import StepRunner
from pgt.training.spt_views import Cycle, Side, View, parsing_picture, sides, style_loss

PARTS_OF_GENERATOR = ("semantic", "foreground", "background")


class SPTRecipe(AdversarialRecipe):
    """SPT's networks, optimisers and training step.

    Args:
        config: sizes, losses and learning rates.
        pose_estimator: the detector of Eq. 8; stands still.
        features: pictures in [-1, 1] -> [features at full size, features at half of it], for Eq. 9 and 10;
            stands still. See `pgt.layers.features`.
        device: where to train; `prepare` overrides it.

    Attributes:
        nets: "generator", the discriminators "d_semantic", "d_image", "d_face" and "d_background" as far as
            the config needs them, and "ema", the generator's moving average, if `config.ema_decay` > 0.
        optimizers: one per discriminator, and "semantic", "foreground" and "background".
    """

    def __init__(
        self,
        config: SPTConfig,
        pose_estimator: PoseEstimator,
        features: nn.Module,
        device: torch.device | str = "cpu",
    ) -> None:
        self._fade: dict[str, float | None] = {"fade": None} if config.grown else {}
        self._teachers = nn.ModuleDict({"pose": pose_estimator, "features": features})
        self._teachers.requires_grad_(False).eval()
        generator = SPTGenerator.from_config(config, trained_stages=())
        super().__init__(config, generator, PARTS_OF_GENERATOR, _judges(config), device)

    def prepare(self, accelerator: StepRunner) -> None:
        """Move networks to the accelerator's device, in the layout convolutions like best, and wrap them."""
        super().prepare(accelerator)
        self._teachers.to(accelerator.device, memory_format=torch.channels_last)

    def set_lr(self, stage: Stage, step: int) -> None:
        """Set the learning rates for a step of a stage; in "fine", fade the new level in until halfway."""
        super().set_lr(stage, step)
        if self.config.grown:
            come_in = min(1.0, 2 * step / stage.num_steps)
            self._fade = {"fade": come_in if stage.name == "fine" else None}

    def train_step(self, batch: PairBatch, stage: Stage) -> dict[str, Tensor]:
        """Move the weights of one stage once.

        Args:
            batch: on the recipe's device, encoded with the generator's `pose_encoding`; of the target only
                joints and map are read. Stage "appearance" needs `scene` if `config.auxiliary`.
            stage: its name says which step runs.

        Returns:
            Unweighted terms, detached scalars: "g/..." of the generator, "d/..." of the discriminators.

        Raises:
            ValueError: a stage that this model does not have.
        """
        steps = {"appearance": self._appearance_step}
        if self.config.guidance != "none":
            steps["semantic"] = self._semantic_step
        if self.config.guidance == "predicted":
            steps["end_to_end"] = self._end_to_end_step
        if self.config.background == "network" and self.config.auxiliary:
            steps["background"] = self._scene_step
        if self.config.grown:
            steps["fine"] = self._appearance_step
        if stage.name not in steps:
            raise ValueError(f"this SPT (guidance {self.config.guidance!r}) has no stage {stage.name!r}")
        self._note_trained(stage.name)
        self.nets["generator"].train()
        return {name: term.detach() for name, term in steps[stage.name](batch).items()}

    # --- stage "semantic" ---

    def _semantic_step(self, batch: PairBatch) -> dict[str, Tensor]:
        """H_S by Eq. 5, then D_S."""
        source, target = sides(batch)
        logits = self._transform(batch.source_parsing, source, target)
        parsing = logits.softmax(dim=1)
        terms = {"g/ce": semantic_cross_entropy(logits, batch.target_label_map, target.mask)}
        loss = self.config.ce_weight * terms["g/ce"]
        adversarial = self._fool("d_semantic", parsing)
        terms["g/adversarial"] = adversarial
        self._move(loss + self.config.semantic_adversarial_weight * adversarial, "semantic")
        return terms | self._judge("d_semantic", (batch.target_parsing,), [(parsing,)])

    def _transform(self, parsing: Tensor, source: Side, target: Side) -> Tensor:
        """H_S's logits, in float32."""
        generator = self.nets["generator"]
        return transform_parsing(
            self.config, self._wrapped["semantic"], generator.pose_encoding, parsing, source[:2], target[:2]
        )

    # --- stages "appearance" and "end_to_end" ---

    def _appearance_step(self, batch: PairBatch) -> dict[str, Tensor]:
        """Algorithm 1: H_A by Eq. 12, then D_A and D_F; the background network on scenes, then D_B."""
        cycle = self._cycle(batch, semantic_moves=False)
        loss, terms = self._appearance_loss(cycle)
        self._move(loss, *self._drawing)
        terms |= self._judge_pictures(cycle)
        if self.config.background == "network" and self.config.auxiliary:
            terms |= self._scene_step(batch)
        return terms

    def _end_to_end_step(self, batch: PairBatch) -> dict[str, Tensor]:
        """Algorithm 2, step 4: H_S and the foreground network by Eq. 12; D_S, D_A and D_F."""
        background = self.nets["generator"].background
        with nullcontext() if background is None else frozen(background):
            cycle = self._cycle(batch, semantic_moves=True)
            loss, terms = self._appearance_loss(cycle)
            weight = self.config.semantic_adversarial_weight
            if weight > 0:
                terms["g/semantic_adversarial"] = self._fool("d_semantic", cycle.generated.parsing)
                loss = loss + weight * terms["g/semantic_adversarial"]
            if self.config.joint_ce_weight > 0:
                mask = cycle.generated.side.mask
                terms["g/ce"] = semantic_cross_entropy(cycle.logits, batch.target_label_map, mask)
                loss = loss + self.config.joint_ce_weight * terms["g/ce"]
            self._move(loss, "semantic", "foreground")
        terms |= self._judge("d_semantic", (batch.source_parsing,), [(cycle.generated.parsing,)])
        return terms | self._judge_pictures(cycle)

    def _cycle(self, batch: PairBatch, *, semantic_moves: bool) -> Cycle:
        """Draw the source in the target pose, and that picture in the source pose again."""
        source, target = sides(batch)
        guidance = self.config.guidance
        first = None if guidance == "none" else batch.source_parsing
        logits = there = back = None
        if guidance == "true":
            there, back = batch.target_parsing, batch.source_parsing
        elif guidance == "predicted":
            with nullcontext() if semantic_moves else torch.no_grad():
                logits = self._transform(first, source, target)
                there = logits.softmax(dim=1)
                back = self._transform(there, target, source).softmax(dim=1)
        drawn = self._draw(batch.source, first, source, there, target)
        again = self._draw(drawn.generated, there, target, back, source)
        return Cycle(
            View(batch.source, first, source),
            View(drawn.generated, there, target),
            View(again.generated, back, source),
            logits,
        )

    def _draw(
        self, image: Tensor, parsing: Tensor | None, source: Side, wanted: Tensor | None, target: Side
    ) -> SPTOutput:
        warps = appearance_warps(*source[:2], *target[:2], (image.shape[-2], image.shape[-1]))
        nets = self._wrapped["foreground"], self._wrapped.get("background")
        given, wanted_maps = (image, parsing, source.pose), (wanted, target.pose)
        with self._runner.autocast():
            output = draw_appearance(self.config, *nets, given, wanted_maps, warps, **self._fade)
        return output._replace(generated=output.generated.float())

    def _appearance_loss(self, cycle: Cycle) -> tuple[Tensor, dict[str, Tensor]]:
        """L_A^total, Eq. 12, and its terms."""
        config = self.config
        source, generated, recovered = cycle[:3]
        judged = [generated, recovered] if config.recovered_adversarial else [generated]
        with self._runner.autocast():
            real, drawn, again = (self._teachers["features"](view.image) for view in cycle[:3])
        terms = {"g/adversarial": sum(self._fool("d_image", *self._shown(view)) for view in judged)}
        terms["g/pose"] = self._pose_error(generated) + self._pose_error(recovered)
        terms["g/content"] = content_loss([recovered.image, *again], [source.image, *real])
        terms["g/style"] = style_loss(config.style, source, real[-1], generated, drawn[-1])
        if config.recovered_style:
            terms["g/style"] = terms["g/style"] + style_loss(
                config.style, generated, drawn[-1], recovered, again[-1]
            )
        if config.self_weight > 0:
            own = self._draw(source.image, source.parsing, source.side, source.parsing, source.side)
            terms["g/self"] = l1_loss(own.generated, source.image)
        if config.face_weight > 0:
            faces = [crop_faces(view.image, *view.side[:2], self._face_size) for view in judged]
            terms["g/face"] = sum(self._fool("d_face", face, valid=valid) for face, valid in faces)
        weights = {
            "g/adversarial": config.adversarial_weight,
            "g/pose": config.pose_weight,
            "g/content": config.content_weight,
            "g/style": config.style_weight,
            "g/face": config.face_weight,
            "g/self": config.self_weight,
        }
        return sum(weights[name] * term for name, term in terms.items()), terms

    def _pose_error(self, view: View) -> Tensor:
        """One term of Eq. 8."""
        estimator = self._teachers["pose"]
        with self._runner.autocast():
            found = estimator.heat_maps(view.image)
        return pose_loss(found, estimator.wanted_heat_maps(view.side.keypoints, view.side.visible, view.size))

    def _judge_pictures(self, cycle: Cycle) -> dict[str, Tensor]:
        """Train D_A (Eq. 7) and D_F (Eq. 11) on the pictures of a cycle."""
        source, *drawn = cycle[:3]
        drawn = drawn if self.config.recovered_adversarial else drawn[:1]
        terms = self._judge("d_image", self._shown(source), [self._shown(view) for view in drawn])
        if self.config.face_weight > 0:
            (real, real_valid), *faces = (
                crop_faces(view.image.detach(), *view.side[:2], self._face_size) for view in (source, *drawn)
            )
            fakes, valid = [(face,) for face, _ in faces], [real_valid, *(ok for _, ok in faces)]
            terms |= self._judge("d_face", (real,), fakes, valid)
        return terms

    def _shown(self, view: View) -> tuple[Tensor, ...]:
        """What D_A is shown."""
        if self.config.discriminator_parsing and view.parsing is not None:
            return view.image, view.parsing
        return (view.image,)

    @property
    def _face_size(self) -> tuple[int, int]:
        return self.config.face_size, self.config.face_size

    def _scene_step(self, batch: PairBatch) -> dict[str, Tensor]:
        """Algorithm 1, steps 6 to 9: fill the person's shape cut out of scenes that are known behind it."""
        if batch.scene is None:
            raise ValueError("the background network learns from scenes; this batch has none (`Pair.scene`)")
        if not self._runner.sync_gradients:  # it moves twice a step, so its gradients cannot wait
            raise ValueError("SPT with auxiliary scenes takes a batch whole: set the accumulation to 1")
        hole = hole_in(batch.source_parsing, self.config.hole_margin)
        drawn = self._wrapped["background"](batch.scene, hole, **self._fade).float()
        terms = {
            "g/reconstruction": reconstruction_loss(drawn, batch.scene),
            "g/scene_adversarial": self._fool("d_background", drawn),
        }
        loss = self.config.reconstruction_weight * terms["g/reconstruction"]
        loss = loss + self.config.background_adversarial_weight * terms["g/scene_adversarial"]
        self._move(loss, "background")
        return terms | self._judge("d_background", (batch.scene,), [(drawn,)])

    # --- adversaries ---

    def _fool(self, name: str, *drawn: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return the generator's side of an adversarial loss; the discriminator's own weights stand still."""
        with frozen(self.nets[name]) as judge, self._runner.autocast():
            logits = judge(*drawn).float()
        return adversarial_loss(logits, is_real=True, kind=self.config.adversarial, valid=valid)

    def _judge(
        self,
        name: str,
        real: tuple[Tensor, ...],
        drawn: Sequence[tuple[Tensor, ...]],
        valid: Sequence[Tensor | None] | None = None,
    ) -> dict[str, Tensor]:
        """Train a discriminator once; Eq. 7 counts the real one as often as there are drawn ones.

        Args:
            name: which.
            real: what it should believe, and `drawn`, what it should not; detached here.
            valid: which pictures count, (B,) bool each: of the real one first, then of each drawn one.
        """
        judge, what = self._wrapped[name], name.removeprefix("d_")
        valid = valid or [None] * (1 + len(drawn))
        terms = []
        for is_real, shown, ok in zip([True] + [False] * len(drawn), [real, *drawn], valid, strict=True):
            logits = judge(*(one.detach() for one in shown)).float()
            terms.append(adversarial_loss(logits, is_real, kind=self.config.adversarial, valid=ok))
        fake = sum(terms[1:]) / len(drawn)
        self._move(terms[0] + fake, name)
        return {f"d/{what}_real": terms[0], f"d/{what}_fake": fake}

    @property
    def _drawing(self) -> tuple[str, ...]:
        """The parts of H_A."""
        return ("foreground",) if self.config.background == "none" else ("foreground", "background")

    @torch.no_grad()  # pictures to look at
    def sample(self, batch: PairBatch) -> dict[str, Tensor]:
        """Draw what the deployed generator makes of a batch, whose target maps are read for guidance "true".

        Returns:
            Pictures (B, 3, H, W) in [-1, 1]: the maps as colours, and once the stage "appearance" has begun
            "foreground", "background" and "generated".
        """
        model, true = self._deployed, self.config.guidance == "true"
        model.eval()
        joints = (batch.source_keypoints, batch.source_visible, batch.target_keypoints, batch.target_visible)
        with self._runner.autocast():
            output = model(
                batch.source, batch.source_parsing, *joints, parsing=batch.target_parsing if true else None
            )
        pictures = {"source map": parsing_picture(batch.source_parsing)}
        if output.parsing is not None:
            pictures["map"] = parsing_picture(output.parsing)
        if "appearance" in model.trained_stages:
            drawn = {name: getattr(output, name) for name in ("foreground", "background", "generated")}
            pictures |= {name: picture.float() for name, picture in drawn.items() if picture is not None}
        return pictures


def _judges(config: SPTConfig) -> dict[str, nn.Module]:
    """Build the discriminators that a config needs: D_S, D_A, D_F, D_B."""
    labels = config.num_labels

    def build(in_channels: int, num_levels: int = 3) -> nn.Module:
        channels, norm = config.discriminator_channels, config.discriminator_norm
        return PatchDiscriminator(in_channels, base_channels=channels, num_levels=num_levels, norm=norm)

    judges = {"d_image": build(3 + labels * (config.discriminator_parsing and config.guidance != "none"))}
    if config.guidance != "none":
        judges["d_semantic"] = build(labels)
    if config.face_weight > 0:
        judges["d_face"] = build(3, num_levels=2)
    if config.background == "network" and config.auxiliary:
        judges["d_background"] = build(3)
    return judges
