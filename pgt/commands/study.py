"""`pgt study make` and `pgt study report`: what people see, and what their answers come to."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pgt.data.readers.pictures import SUFFIXES, read_picture
from pgt.studies.answers import read_answers
from pgt.studies.pictures import make_study
from pgt.studies.plan import POSE, PREFERENCE, REAL, REAL_FAKE, SOURCE, read_plan

if TYPE_CHECKING:
    from pgt.predictor import Predictor

# kind -> the papers' settings: PG2, Sec. 4.4; SPT, Sec. 4.2 (250 pairs, of four rivals)
SETTINGS = {
    REAL_FAKE: {"count": 55, "practice": 10, "participants": 30, "seconds": 1.0},
    PREFERENCE: {"count": 62, "practice": 0, "participants": 35, "seconds": 0.0},
}
SYNTHETIC_NOTE = 'The people are synthetic: "real" pictures were rendered, the others were drawn by networks.'
FRAME = (128, 128)  # of methods that work in any
BATCH = 16
TOLD = 3  # lines of answers that are none


def study(arguments: argparse.Namespace) -> None:
    """Make a study, or count its answers."""
    (_make if arguments.study_command == "make" else _report)(arguments)


def _make(arguments: argparse.Namespace) -> None:
    kind = arguments.kind
    settings = {
        name: default if getattr(arguments, name) is None else getattr(arguments, name)
        for name, default in SETTINGS[kind].items()
    }
    if arguments.pictures is None:
        needed = settings["count"] * (2 if kind == REAL_FAKE else 1)  # nobody is to be seen in both versions
        pictures, note = drawn_pictures(arguments, needed), SYNTHETIC_NOTE
    elif arguments.weights:
        raise ValueError("--weights draw synthetic people; they do not belong to --pictures.")
    else:
        pictures, note = read_pictures(arguments.pictures), ""
        settings["count"] = arguments.count or min(settings["count"], *map(len, pictures.values()))
        if arguments.practice is None:
            settings["practice"] = min(settings["practice"], settings["count"] // 5)
    sessions = settings.pop("participants")
    plan = make_study(
        arguments.folder, pictures, kind, ours=arguments.ours if kind == PREFERENCE else "",
        sessions=sessions, seed=arguments.seed, note=note, **settings,
    )  # fmt: skip
    print(
        f"{arguments.folder}: {len(plan.origins)} pictures, {len(plan.sessions)} sessions of "
        f"{len(plan.sessions[0])} questions about {', '.join(plan.methods)}"
    )
    print(f"python demo/study.py {arguments.folder} opens the page", file=sys.stderr)


def read_pictures(root: str | Path) -> dict[str, dict[str, np.ndarray]]:
    """Read a folder with a folder for each method, "real", "source" and "pose", with files of the same names.

    Raises:
        ValueError: no such folders, or a file that is no picture or too large.
    """
    folders = sorted(path for path in Path(root).iterdir() if path.is_dir() and path.name[0] != ".")
    found = {folder.name: _read_folder(folder) for folder in folders}
    if not found:
        raise ValueError(f"{root} has no folders of pictures; it needs one for each method.")
    return found


def _read_folder(folder: Path) -> dict[str, np.ndarray]:
    pictures: dict[str, np.ndarray] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name[0] == ".":
            continue
        if path.stem in pictures:
            raise ValueError(f"{folder} has two pictures of the name {path.stem!r}.")
        pictures[path.stem] = read_picture(path)
    return pictures


def drawn_pictures(arguments: argparse.Namespace, people: int) -> dict[str, dict[str, np.ndarray]]:
    """Draw synthetic people of the test split by all methods: method, "real" ... -> name -> picture."""
    from pgt.plot import draw_skeleton
    from pgt.synthetic.people import SyntheticPeople

    predictors = _predictors(arguments)
    frames = {one.image_size for one in predictors.values()} - {None}
    if len(frames) > 1:
        raise ValueError(f"methods of one study must share a frame; got {sorted(frames)}.")
    rendered = SyntheticPeople("test", frames.pop() if frames else FRAME, arguments.scene)
    pictures: dict[str, dict[str, np.ndarray]] = {name: {} for name in (REAL, SOURCE, POSE, *predictors)}
    for start in range(0, people, BATCH):
        numbers = range(start, min(start + BATCH, people))
        shots = rendered.render([(number, k) for number in numbers for k in (0, 1)])
        pairs = [(shots[2 * i], shots[2 * i + 1]) for i in range(len(numbers))]
        names = [f"{number:05d}" for number in numbers]
        drawn = {REAL: [target.image for _, target in pairs], SOURCE: [source.image for source, _ in pairs]}
        drawn[POSE] = [draw_skeleton(None, target.pose) for _, target in pairs]
        for method, predictor in predictors.items():
            found = predictor.generate_batch([(source, target.pose) for source, target in pairs])
            drawn[method] = [one.image for one in found]
        for method, images in drawn.items():
            pictures[method] |= dict(zip(names, images, strict=True))
    return pictures


def _predictors(arguments: argparse.Namespace) -> Mapping[str, "Predictor"]:
    """Load the weights that are named, or the bundled ones of one frame."""
    from pgt.commands.methods import bundled_generators, named_weights
    from pgt.predictor import PART_WARP, Predictor

    if arguments.weights:
        chosen = named_weights(arguments.weights)
        return {
            name: Predictor.load(PART_WARP if one == "part_warp" else one) for name, one in chosen.items()
        }
    loaded = {name: Predictor.load(one) for name, one in bundled_generators().items()}
    if not loaded:
        raise ValueError("No generator is bundled with the library; name some with --weights.")
    frame = next(iter(loaded.values())).image_size
    return {name: one for name, one in loaded.items() if one.image_size == frame}


def _report(arguments: argparse.Namespace) -> None:
    from pgt.results import as_json, latex_table, markdown_table
    from pgt.studies.report import count, papers_beside

    plan = read_plan(arguments.folder)
    published = papers_beside(plan, arguments.published)
    answers, faults = read_answers(arguments.folder, plan)
    report = count(plan, answers, unfinished=arguments.unfinished)
    cells = report.each() if arguments.each else report.cells(published)
    print((latex_table if arguments.latex else markdown_table)(cells))
    _explain(report.participants, report.unfinished, faults, arguments.unfinished)
    for row, one in published.items() if not arguments.each else ():
        print(f"paper: {row} is {one.source}.", file=sys.stderr)
    if arguments.out:
        from pgt.files import replace_bytes

        out = Path(arguments.out)
        out.parent.mkdir(parents=True, exist_ok=True)
        replace_bytes(out, as_json(report.as_dict()).encode())


def _explain(counted: tuple[str, ...], early: tuple[str, ...], faults: list[str], with_early: bool) -> None:
    """Say on stderr who counts, what the intervals are, and what was left out."""
    interval = (
        "Student's t over participants" if len(counted) != 1 else "Wilson's, over one participant's answers"
    )
    print(f"{len(counted)} participants; intervals: {interval}.", file=sys.stderr)
    if early and not with_early:
        words = "has not finished and was" if len(early) == 1 else "have not finished and were"
        print(f"{', '.join(early)} {words} left out; --unfinished counts them.", file=sys.stderr)
    for sentence in faults[:TOLD]:
        print(sentence, file=sys.stderr)
    if len(faults) > TOLD:
        print(f"{len(faults) - TOLD} more lines were left out.", file=sys.stderr)
