"""The training loop that every approach shares; it knows nothing of losses or networks.

It stands on Hugging Face Accelerate for devices, mixed precision, gradient accumulation and several processes
(`accelerate launch`). What it adds: batches that depend on the step alone, a log, pictures, and a state on
disk, so that the same command continues a killed run to the same numbers.

Each optimiser step works on `stage.batch_size` pairs however many processes share them. All processes must
see the same run folder.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pgt.checkpoint import Card, Origin, save
from pgt.config import Stage
from pgt.data.pairs import PairDataset
from pgt.data.person import Pair, PairBatch, collate, encode_pair
from pgt.data.pose import PoseEncoding
from pgt.training.loading import load_batches, on_device
from pgt.training.origin import begin_with
from pgt.training.recipe import Recipe
from pgt.training.run_folder import RunFolder
from pgt.training.schedule import BatchOrder, Timetable, step_seed


@dataclass(frozen=True)
class Progress:
    """How far a run has come: optimiser steps done, and whether that is all of them."""

    step: int
    finished: bool


@dataclass(frozen=True)
class Options:
    """How often things happen; none of these changes what is learnt."""

    log_every: int = 50  # steps
    sample_every: int = 500  # steps
    save_every: int = 1000  # steps
    save_seconds: float = 600.0  # also save when the last time is longer ago
    max_seconds: float | None = None  # save and stop after this time; the same call continues
    num_workers: int = 0  # processes that load pairs; 0: this one


def fit(
    recipe: Recipe,
    dataset: PairDataset,
    stages: Sequence[Stage],
    run_dir: str | Path,
    *,
    seed: int = 0,
    precision: str = "no",
    accumulation: int = 1,
    flip: bool = True,
    start_from: str | None = None,
    options: Options | None = None,
    sample_pairs: Sequence[Pair] = (),
    card: Card | None = None,
    data: Mapping[str, object] | None = None,
    accelerator: Any | None = None,
) -> Progress:
    """Train a recipe through its stages, or continue where an earlier call in `run_dir` was stopped.

    Args:
        recipe: freshly built with the same seed in every process.
        dataset: training pairs.
        stages: trained one after the other, each with its own size, batch and learning rate.
        run_dir: folder of the run; its content is described in `pgt.training.run_folder`.
        seed: fixes the order of pairs, mirroring, and the random numbers of each step.
        precision: "no" (float32), "bf16" or "fp16" (GPU only).
        accumulation: number of equal parts in which each process works through its share of a batch.
        flip: mirror half of the pairs.
        start_from: a checkpoint whose weights are the first ones, named as for `pgt.load`; it is read before
            the first step, and not needed to continue. The recipe's own weights by default.
        options: intervals, time limit and loader processes; these may change from call to call.
        sample_pairs: drawn into `samples/` every `options.sample_every` steps.
        card: facts for the model card, see `pgt.checkpoint.save`.
        data: what else decides how the pairs look; the run folder refuses to continue with anything else.
        accelerator: an `accelerate.Accelerator` to use in place of a new one.

    Returns:
        Progress; `finished` is False only where `options.max_seconds` stopped the run.

    Raises:
        ValueError: the run folder holds a run with other settings, or a batch cannot be shared out evenly.
        FloatingPointError: a loss is not finite; the message gives all terms, the last saved state stays.
    """
    accelerator = accelerator or new_accelerator(precision, accumulation)
    accelerator.gradient_accumulation_steps = accumulation
    if accelerator.mixed_precision == "fp16" and accelerator.device.type == "cpu":
        raise ValueError("float16 training needs a GPU; on a CPU choose the precision 'no' or 'bf16'.")
    _check_batches(stages, accelerator.num_processes * accumulation)
    folder = RunFolder(run_dir)
    description = {
        "approach_config": asdict(recipe.config),
        "stages": [asdict(stage) for stage in stages],
        "seed": seed,
        "precision": precision,
        "accumulation": accumulation,
        "flip": flip,
        "start_from": start_from,
        "num_pairs": len(dataset),
        **({"data": dict(data)} if data else {}),
    }
    origin = None
    if start_from is not None and not folder.has_state():  # before the claim: a wrong name claims nothing
        origin = begin_with(recipe, start_from)
    if accelerator.is_main_process:
        folder.claim(description)
    accelerator.wait_for_everyone()
    recipe.prepare(accelerator)
    loop = _Loop(
        recipe=recipe,
        dataset=dataset,
        timetable=Timetable(tuple(stages)),
        order=BatchOrder(len(dataset), seed, flip),
        folder=folder,
        origin=origin,
        accelerator=accelerator,
        options=options or Options(),
        sample_pairs=tuple(sample_pairs),
        card=card or {},
    )
    with _own_random_numbers(accelerator.device):
        return loop.run()


def new_accelerator(precision: str = "no", accumulation: int = 1) -> Any:
    """Make an Accelerator fit for adversarial training; a later one may have another precision."""
    from accelerate import Accelerator, DistributedDataParallelKwargs
    from accelerate.state import AcceleratorState

    # Accelerate keeps one global state and refuses a second precision; notebooks train several times.
    AcceleratorState._reset_state()
    # A discriminator runs twice before its backward: broadcasting buffers in between would break autograd.
    wrapping = DistributedDataParallelKwargs(broadcast_buffers=False)
    return Accelerator(
        mixed_precision=precision, gradient_accumulation_steps=accumulation, kwargs_handlers=[wrapping]
    )


@dataclass
class _Loop:
    """One call of `fit`."""

    recipe: Recipe
    dataset: PairDataset
    timetable: Timetable
    order: BatchOrder
    folder: RunFolder
    origin: Origin | None  # of the first weights; None: random ones
    accelerator: Any
    options: Options
    sample_pairs: tuple[Pair, ...]
    card: Card
    step: int = 0  # optimiser steps done
    sums: dict[str, float] = field(default_factory=dict)  # of each term since the last log line
    count: int = 0  # steps in `sums`

    def run(self) -> Progress:
        self._resume()
        self._started = self._saved = time.monotonic()
        self._first_step = self.step
        with self._progress_bar() as bar:
            while self.step < self.timetable.num_steps and not self._train_stage(bar):
                pass
        return Progress(self.step, self.step == self.timetable.num_steps)

    def _train_stage(self, bar: Any) -> bool:
        """Train to the end of the current stage; return True where the time limit stopped it before that."""
        index = self.timetable.stage_index(self.step)
        stage, begin = self.timetable.stages[index], self.timetable.begin(index)
        encoding = self.recipe.deployable().pose_encoding
        shown = self._encode_samples(stage, encoding)
        for batches in self._batches(stage, begin + stage.num_steps, encoding):
            torch.manual_seed(step_seed(self.order.seed, self.step, self.accelerator.process_index))
            self.recipe.set_lr(stage, self.step - begin)
            terms = self._train_step(batches, stage)
            self.step += 1
            last = self.step == begin + stage.num_steps
            save_now, stop_now = self._account(terms, stage)
            bar.update()
            if last or self.step % self.options.log_every == 0:
                self._log(stage, bar)
            if shown is not None and (last or self.step % self.options.sample_every == 0):
                self._draw_samples(shown)
            if last or save_now or stop_now or self.step % self.options.save_every == 0:
                self._save()
            if stop_now and not last:
                return True
        return stop_now and self.step < self.timetable.num_steps

    def _batches(self, stage: Stage, end: int, encoding: PoseEncoding) -> Iterator[list[PairBatch]]:
        """Yield, for each step up to `end`, this process's share of the batch in `accumulation` parts."""
        parts = self.accelerator.gradient_accumulation_steps
        share = stage.batch_size // self.accelerator.num_processes
        size = share // parts
        offset = self.accelerator.process_index * share
        indices = (
            self.order.pairs(self.timetable.stream_position(step) + offset + part * size, size)
            for step in range(self.step, end)
            for part in range(parts)
        )
        batches = load_batches(
            self.dataset,
            indices,
            stage.image_size,
            encoding,
            self.accelerator.device,
            num_workers=self.options.num_workers,
        )
        yield from zip(*[batches] * parts, strict=True)

    def _train_step(self, batches: Sequence[PairBatch], stage: Stage) -> dict[str, Tensor]:
        """Run the recipe on each part of a batch; the prepared optimisers move weights after the last."""
        totals: dict[str, Tensor] = {}
        for batch in batches:
            with self.accelerator.accumulate():
                for name, value in self.recipe.train_step(batch, stage).items():
                    totals[name] = totals.get(name, 0) + value.detach().float() / len(batches)
        return totals

    def _account(self, terms: Mapping[str, Tensor], stage: Stage) -> tuple[bool, bool]:
        """Average the terms over processes, stop on a non-finite one, and agree on (save now, stop now).

        The main process's clock decides for all, so its two answers travel with the terms.
        """
        now, options = time.monotonic(), self.options
        main = self.accelerator.is_main_process
        save_due = main and now - self._saved > options.save_seconds
        stop_due = main and options.max_seconds is not None and now - self._started > options.max_seconds
        device = self.accelerator.device
        values = torch.stack([*terms.values(), *torch.tensor([save_due, stop_due], device=device).float()])
        *means, save_now, stop_now = self.accelerator.reduce(values, reduction="mean").tolist()
        averages = dict(zip(terms, means, strict=True))
        if not torch.tensor(means).isfinite().all():
            raise FloatingPointError(
                f"A loss is not finite at step {self.step} (stage {stage.name}): "
                + ", ".join(f"{name} = {value:.4g}" for name, value in averages.items())
                + ". The last saved state is untouched."
            )
        for name, value in averages.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1
        return save_now > 0, stop_now > 0

    def _log(self, stage: Stage, bar: Any) -> None:
        averages = {name: total / self.count for name, total in self.sums.items()}
        self.sums, self.count = {}, 0
        if not self.accelerator.is_main_process:
            return
        self.folder.log({"step": self.step, "stage": stage.name, **averages})
        pairs_per_second = bar.format_dict["n"] - bar.initial
        pairs_per_second *= stage.batch_size / max(time.monotonic() - self._started, 1e-9)
        shown = {name: f"{value:.3g}" for name, value in averages.items()}
        bar.set_postfix({**shown, "pairs/s": f"{pairs_per_second:.1f}"}, refresh=False)

    def _encode_samples(self, stage: Stage, encoding: PoseEncoding) -> PairBatch | None:
        if not self.sample_pairs or not self.accelerator.is_main_process:
            return None
        batch = collate([encode_pair(pair, stage.image_size, encoding) for pair in self.sample_pairs])
        return on_device(batch, self.accelerator.device)

    def _draw_samples(self, batch: PairBatch) -> None:
        from pgt.plot import sample_grid

        pictures = {"source": batch.source, **self.recipe.sample(batch), "target": batch.target}
        self.folder.save_picture(f"step_{self.step:07d}", sample_grid(pictures))

    def _save(self) -> None:
        self._saved = time.monotonic()
        if self.accelerator.is_main_process:
            scaler = getattr(self.accelerator, "scaler", None)
            self.folder.save_state(
                {
                    "origin": self.origin,
                    "step": self.step,
                    "sums": self.sums,
                    "count": self.count,
                    "recipe": self.recipe.state_dict(),
                    "scaler": scaler.state_dict() if scaler else {},
                }
            )
            origin = {"started from": self.origin} if self.origin else {}
            training = {**self.card.get("training", {}), **origin, "steps": self.step}
            save(self.recipe.deployable(), self.folder.generator, {**self.card, "training": training})
            self._note_session()
        self.accelerator.wait_for_everyone()

    def _resume(self) -> None:
        state = self.folder.load_state()
        if state is not None:
            self.origin = state.get("origin")  # a folder of an earlier version has none
            self.step, self.sums, self.count = state["step"], state["sums"], state["count"]
            self.recipe.load_state_dict(state["recipe"])
            if state["scaler"]:
                self.accelerator.scaler.load_state_dict(state["scaler"])
        if self.accelerator.is_main_process:
            self.folder.truncate_log(self.step)
        self.accelerator.wait_for_everyone()

    def _progress_bar(self) -> Any:
        from tqdm.auto import tqdm

        hidden = not self.accelerator.is_main_process
        return tqdm(total=self.timetable.num_steps, initial=self.step, unit="step", disable=hidden, delay=0.5)

    def _note_session(self) -> None:
        """Keep what was saved up to now on record, however the session may end."""
        self.folder.note_session(
            {
                "first_step": self._first_step,
                "last_step": self.step,
                "seconds": round(time.monotonic() - self._started, 3),
                "device": str(self.accelerator.device),
                "processes": self.accelerator.num_processes,
                "threads": torch.get_num_threads(),
                "torch": torch.__version__,
            }
        )


def _check_batches(stages: Sequence[Stage], shares: int) -> None:
    for stage in stages:
        if stage.batch_size % shares:
            raise ValueError(
                f"Stage {stage.name} has {stage.batch_size} pairs a batch, which cannot be shared out evenly "
                f"over {shares} (processes x accumulation)."
            )


@contextmanager
def _own_random_numbers(device: torch.device) -> Iterator[None]:
    """Let the loop seed torch at every step without changing the caller's random numbers."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield
