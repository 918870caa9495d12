"""Save, find, load and publish models: a folder of `model.safetensors`, `config.json` and a model card.

A folder rebuilds its model by itself. Only safetensors files are ever read, so that loading a stranger's
weights cannot run a stranger's code. The card is there twice: `README.md` for people, and the same facts in
`card.json` for programs; neither is needed to load. Every failure is a `CheckpointError` of one sentence.
"""

import json
import logging
import os
import re
import tempfile
from collections.abc import Mapping
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import TypedDict

import torch
from safetensors import SafetensorError
from safetensors.torch import load_model
from torch import nn

from pgt.config import HUB_NAMESPACE, PUBLIC_HOME
from pgt.files import first_line

logger = logging.getLogger(__name__)

# The one place where an approach's name meets its class. Strings, because models stand above this module and
# importing pgt must not import all of them.
MODEL_CLASSES = {
    "pg2": "pgt.models.pg2:PG2Generator",
    "spt": "pgt.models.spt:SPTGenerator",
    "mrnet": "pgt.models.mrnet:MRNetGenerator",
    "progressive": "pgt.models.progressive:ProgressiveGenerator",
    "garment-flow": "pgt.models.garment_flow:GarmentFlowNetwork",
    "pose-estimator": "pgt.models.pose_estimator:PoseEstimator",
    "human-parser": "pgt.models.human_parser:HumanParser",
}
# The Hub's word for the task of models that draw nobody in a pose.
HUB_TASKS = {
    "garment-flow": "image-to-image",
    "pose-estimator": "keypoint-detection",
    "human-parser": "image-segmentation",
}
BUNDLED = Path(__file__).parent / "weights"
WEIGHTS, CONFIG, CARD, FACTS = "model.safetensors", "config.json", "README.md", "card.json"
PLACES_VARIABLE = "PGT_CHECKPOINTS"  # environment: folders of checkpoints, separated as in PATH


class CheckpointError(ValueError):
    """A checkpoint that cannot be found, read or published; the message is one sentence for the user."""


class Origin(TypedDict, total=False):
    """The weights that a training began with; all but the name is what their own card has on record."""

    name: str
    data: str
    training: Mapping[str, object]
    history: str


class Card(TypedDict, total=False):
    """What a model card can state; sections without facts say so."""

    title: str
    summary: str  # one paragraph
    data: str  # what the weights were trained on
    metrics: Mapping[str, float]
    metrics_on: str  # which data and protocol the metrics belong to
    training: Mapping[str, object]  # further facts: steps, hours, machine; what it "started from", an Origin
    history: str  # what the facts of the training leave out
    limits: str  # what the weights do badly
    license: str  # of the weights; "mit" unless given


def save(model: nn.Module, folder: str | Path, card: Card | None = None, *, half: bool = False) -> Path:
    """Write a model so that `load` rebuilds it; files already there are replaced one by one, each at once.

    Args:
        model: an instance of one of `MODEL_CLASSES`.
        folder: made when missing.
        card: facts for the model card.
        half: store float16 weights; `load` gives float32 again.

    Raises:
        CheckpointError: a class that is not in the table, an unknown card entry, or a disk that is full or
            must not be written; what was there before stays.
    """
    try:
        return _save(model, Path(folder), card or {}, half)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"The checkpoint {folder} cannot be written ({first_line(error)}).") from None


def _save(model: nn.Module, folder: Path, card: Card, half: bool) -> Path:
    approach = _approach_of(model)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        made = Path(temporary)
        (made / CARD).write_text(model_card(approach, card))  # the mixin keeps a card that is there
        (made / FACTS).write_text(json.dumps(card, indent=2) + "\n")
        (deepcopy(model).half() if half else model).save_pretrained(made)
        config = {"approach": approach, **json.loads((made / CONFIG).read_text())}
        (made / CONFIG).write_text(json.dumps(config, indent=2) + "\n")
        for name in (CONFIG, WEIGHTS, CARD, FACTS):
            os.replace(made / name, folder / name)
    return folder


def load(
    name: str | Path, revision: str | None = None, device: str | torch.device = "cpu", *, quiet: bool = False
) -> nn.Module:
    """Load a model in float32 and evaluation mode.

    Looks in this order: a folder of that path; the folders in the environment variable PGT_CHECKPOINTS; the
    weights bundled with the library; the Hub. Which one it was is logged and kept as
    `model.checkpoint_source`.

    Args:
        name: a folder, a bundled name such as "pg2-synthetic-128", or a Hub repository "organisation/name".
        revision: commit, tag or branch on the Hub; with it only the Hub is asked. A full commit that was
            loaded before needs no network.
        device: where the model shall live.
        quiet: do not log the source.

    Raises:
        CheckpointError: nothing of that name, or files that are missing, damaged or of another format.
    """
    folder, source = find(name, revision)
    model = _read(folder).to(device)
    model.checkpoint_source = source
    if not quiet:
        logger.info("%s: loaded from %s", name, source)
    return model


def find(name: str | Path, revision: str | None = None) -> tuple[Path, str]:
    """Return the folder of a checkpoint, downloading it if need be, and in words where it came from."""
    if revision is None:
        for folder, source in _local_places(str(name)):
            if (folder / CONFIG).is_file():
                return folder, source
    elif Path(name).is_dir():
        raise CheckpointError(f"A revision belongs to the Hub, but {name} is a folder.")
    return pull(_repository(name, revision), revision)


def pull(repository: str, revision: str | None = None) -> tuple[Path, str]:
    """Download a checkpoint from the Hub, or take it from the Hub's cache.

    Returns:
        the folder in the cache, and in words where it came from, with the commit.
    """
    from huggingface_hub import hf_hub_download

    try:
        paths = [Path(hf_hub_download(repository, file, revision=revision)) for file in (CONFIG, WEIGHTS)]
    except Exception as error:  # the client raises many unrelated classes
        raise CheckpointError(_hub_sentence(error, repository, revision)) from error
    folder = paths[-1].parent
    return folder, f"the Hub ({repository} at {folder.name[:12]})"


def push(name: str | Path, to: str, *, private: bool = False) -> str:
    """Upload a local checkpoint to the Hub; weights that do not load are refused.

    Args:
        name: a folder or the name of a local checkpoint.
        to: "organisation/name"; made when missing.
        private: whether a new repository is visible to its owners only.

    Returns:
        the address of the commit.
    """
    from huggingface_hub import HfApi

    if not re.fullmatch(r"[\w.-]+/[\w.-]+", to):
        raise CheckpointError(f"The repository must be 'organisation/name'; got {to!r}.")
    folder = next((path for path, _ in _local_places(str(name)) if (path / CONFIG).is_file()), None)
    if folder is None:
        raise CheckpointError(_not_found(name))
    _read(folder)
    api = HfApi()
    try:
        api.create_repo(to, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=to,
            folder_path=folder,
            allow_patterns=[CONFIG, WEIGHTS, CARD, FACTS],
            commit_message=f"Upload {folder.name}",
        )
    except Exception as error:
        raise CheckpointError(_hub_sentence(error, to, None)) from error
    return str(commit.commit_url)


def bundled_names(approach: str = "") -> list[str]:
    """Return the names of the checkpoints that come with the library, all or those of an approach."""
    return sorted(path.parent.name for path in BUNDLED.glob(f"{approach}*/{CONFIG}"))


def read_card(folder: Path) -> Card:
    """Return the facts on the card of a checkpoint; none where they are not on record."""
    return _read_object(folder / FACTS) if (folder / FACTS).is_file() else {}


def model_card(approach: str, card: Card) -> str:
    """Write the text of a model card: front matter for the Hub, then prose for people."""
    from huggingface_hub import EvalResult, ModelCardData

    unknown = sorted(set(card) - set(Card.__annotations__))
    if unknown:
        raise CheckpointError(f"A model card has no entry {unknown[0]!r}.")
    title, metrics_on = card.get("title", approach), card.get("metrics_on", "held-out pairs")
    metrics = {name: round(float(value), 4) for name, value in card.get("metrics", {}).items()}
    task = HUB_TASKS.get(approach, "image-to-image")
    results = [EvalResult(task, "pgt", metrics_on, name, value) for name, value in metrics.items()]
    data = ModelCardData(
        license=card.get("license", "mit"),
        library_name="pgt",
        pipeline_tag=task,
        tags=["pose-guided-person-image-generation", approach],
        model_name=title,
        eval_results=results or None,
    )
    numbers = "\n".join(
        ["| metric | value |", "| --- | --- |", *(f"| {k} | {v} |" for k, v in metrics.items())]
    )
    facts = "\n".join(f"- {name}: {_in_words(value)}" for name, value in card.get("training", {}).items())
    told = "\n\n".join(part for part in (facts, card.get("history", "")) if part)
    home = f"\n\nMade with [pgt]({PUBLIC_HOME})." if PUBLIC_HOME else ""
    return "\n\n".join(
        [
            f"---\n{data.to_yaml()}\n---",
            f"# {title}",
            card.get("summary", "Draws a person in another pose.") + home,
            '## Use\n\n```python\nimport pgt\n\nmodel = pgt.load("path or name of this checkpoint")\n```',
            "## Training data\n\n" + card.get("data", "Not stated."),
            "## Training\n\n" + (told or "Not stated."),
            f"## Metrics\n\nOn {metrics_on}:\n\n{numbers}" if metrics else "## Metrics\n\nNot measured.",
            "## Limits\n\n" + card.get("limits", "Not stated.") + "\n",
        ]
    )


def _in_words(fact: object) -> str:
    """Write a fact; one that is an `Origin` has what is known of it in brackets."""
    if not isinstance(fact, Mapping):
        return str(fact)
    facts = ", ".join(f"{name}: {_in_words(value)}" for name, value in fact.get("training", {}).items())
    known = [part for part in (facts, fact.get("data"), fact.get("history")) if part]
    known = "; ".join(" ".join(part.split()).removesuffix(".") for part in known)  # on one line of the card
    return f"{fact['name']} ({known})" if known else fact["name"]


def _approach_of(model: nn.Module) -> str:
    name = f"{type(model).__module__}:{type(model).__qualname__}"
    for approach, path in MODEL_CLASSES.items():
        if path == name:
            return approach
    raise CheckpointError(f"{type(model).__qualname__} is not a model that pgt can save.")


def _local_places(name: str) -> list[tuple[Path, str]]:
    """List the folders in which a checkpoint of that name may lie, in the order of search."""
    listed = [Path(place) for place in os.environ.get(PLACES_VARIABLE, "").split(os.pathsep) if place]
    places = [(Path(name), f"the folder {name}")]
    places += [(place / name, f"{place / name} ({PLACES_VARIABLE})") for place in listed]
    return [*places, (BUNDLED / name, f"the bundled weights {name}")]


def _repository(name: str | Path, revision: str | None) -> str:
    """Return the Hub repository that a name stands for."""
    text = str(name)
    if Path(name).is_dir():
        raise CheckpointError(f"The folder {text} has no {CONFIG}, so it is not a checkpoint.")
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", text):
        return text
    if HUB_NAMESPACE and re.fullmatch(r"[\w-][\w.-]*", text):
        return f"{HUB_NAMESPACE}/{text}"
    raise CheckpointError(_not_found(name))


def _not_found(name: str | Path) -> str:
    bundled = ", ".join(bundled_names()) or "none"
    return (
        f"There is no checkpoint {str(name)!r}: it is no folder with a {CONFIG}, not in {PLACES_VARIABLE}, "
        f"not among the bundled weights ({bundled}), and no Hub namespace is set to look in."
    )


def _read(folder: Path) -> nn.Module:
    """Build the model that a folder describes and fill in its weights."""
    config = _read_object(folder / CONFIG)
    if not (folder / WEIGHTS).is_file():
        others = sorted(path.name for path in folder.glob("*.bin")) + sorted(
            path.name for path in folder.glob("*.pt*")
        )
        found = f" ({others[0]} is not read: it could run code)" if others else ""
        raise CheckpointError(f"The checkpoint {folder} has no {WEIGHTS}{found}.")
    approach = config.get("approach")
    if not isinstance(approach, str) or approach not in MODEL_CLASSES:
        known = ", ".join(MODEL_CLASSES)
        raise CheckpointError(
            f"{folder / CONFIG} names the approach {approach!r}; this version knows {known}."
        )
    module, _, class_name = MODEL_CLASSES[approach].partition(":")
    model_class = getattr(import_module(module), class_name)
    try:
        model = model_class(**{name: value for name, value in config.items() if name != "approach"})
        load_model(model, folder / WEIGHTS, strict=True)
    except Exception as error:  # safetensors, torch and the config classes each raise their own
        reason = str(error).splitlines()[0]
        raise CheckpointError(
            f"The checkpoint {folder} is damaged or was made by another version ({reason})."
        ) from error
    return model.float().eval()


def _read_object(path: Path) -> dict:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not readable JSON: a damaged checkpoint.") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} must hold a JSON object: a damaged checkpoint.")
    return content


def _hub_sentence(error: Exception, repository: str, revision: str | None) -> str:
    """Say in one sentence what went wrong at the Hub."""
    from huggingface_hub import errors

    at = f" at revision {revision}" if revision else ""
    for kind, sentence in {
        errors.GatedRepoError: f"The Hub repository {repository} is gated: ask its owners for access.",
        errors.RepositoryNotFoundError: f"There is no Hub repository {repository}, or you may not see it.",
        errors.RevisionNotFoundError: f"The Hub repository {repository} has no revision {revision}.",
        errors.LocalEntryNotFoundError: f"{repository}{at} is not cached and the Hub cannot be reached.",
        errors.EntryNotFoundError: f"The Hub repository {repository}{at} lacks {CONFIG} or {WEIGHTS}; "
        "nothing else is loaded.",
        errors.LocalTokenNotFoundError: "The Hub wants you to log in first: run `hf auth login`.",
    }.items():
        if isinstance(error, kind):
            return sentence
    if getattr(getattr(error, "response", None), "status_code", None) in (401, 403):
        return f"The Hub does not let you use {repository}: run `hf auth login` with an account that may."
    return f"The Hub could not serve {repository}{at}: {str(error).splitlines()[0]}"
