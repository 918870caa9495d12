"""The command line, `pgt COMMAND` or `python -m pgt COMMAND`: render, cache, train, evaluate, and so on.

Only the arguments live here, so that help is quick; what a command does is in `pgt.commands`.
A mistake of the user's is answered by one sentence and exit code 2; `--traceback` shows where it was noticed.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from pgt.arguments import candidates, image_size, natural, positive, positive_float, share
from pgt.studies.arguments import add_study_commands

SCENES = ("plain", "street", "non_iconic", "mixed", "everywhere")
SPLITS = ("train", "val", "test")
APPROACHES = ("pg2", "spt", "mrnet", "progressive")
JUDGES = ("pose-estimator", "human-parser")  # trained like the approaches, to score and to guide them
GARMENTS = ("garment-flow",)  # the second step of garment transfer, likewise
AUGMENTATIONS = ("colour", "photo")  # the last also adds faults of cameras and other backgrounds
DETECTORS = ("keypoint-rcnn", "vitpose")  # of people in photographs
DATASETS = (
    "synthetic", "folder", "openpose", "coco", "deepfashion", "deepfashion-176", "market1501", "penn-action",
    "bbc-pose", "human3.6m", "human3.6m-subjects", "photos", "places2", "video",
)  # fmt: skip
MODULES = {"cache": "render"}  # of `pgt.commands`, where a command's has another name


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one sentence, without the usage lines."""
        self.exit(2, f"{self.prog}: {message.rstrip('.')}; see {self.prog} --help.\n")


def build_parser() -> argparse.ArgumentParser:
    """Describe all commands."""
    parser = _Parser(prog="pgt", description="Pose-guided person image generation.")
    parser.add_argument("--traceback", action="store_true", help="show where an error was noticed")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        _add_render, _add_cache, _add_train, _add_evaluate, _add_generate, _add_compare, _add_animate,
        _add_pseudo_labels, _add_push, _add_data_commands, _add_study,
    ):  # fmt: skip
        add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, or 2 after a sentence on stderr."""
    arguments = build_parser().parse_args(argv)
    try:
        name = arguments.command.replace("-", "_")
        run = getattr(import_module(f"pgt.commands.{MODULES.get(name, name)}"), name)
        return run(arguments) or 0
    except KeyboardInterrupt:
        print("pgt: stopped; the same command continues where its last save was.", file=sys.stderr)
        return 130
    except (ValueError, OSError, ArithmeticError, ImportError, LookupError) as error:
        if arguments.traceback:
            raise
        print(f"pgt: {_sentence(error)}", file=sys.stderr)
        return 2


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror or type(error).__name__}."
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    return (text.splitlines() or [type(error).__name__])[0]


def _add_render(commands: argparse._SubParsersAction) -> None:
    one = commands.add_parser("render", help="draw a contact sheet of synthetic people")
    one.add_argument("--seed", type=int, default=0, help="number of the first person (default 0)")
    one.add_argument("--count", type=positive, default=12, help="how many people, or frames of a motion")
    one.add_argument("--size", type=image_size, default=(256, 256), help="N or HEIGHTxWIDTH (default 256)")
    one.add_argument("--scene", choices=SCENES, default="plain")
    one.add_argument("--split", choices=SPLITS, default="train")
    one.add_argument("--motion", help="draw one person in this motion: walk, run, wave, squat, dance, ...")
    one.add_argument("--parsing", action="store_true", help="add the skeleton and the ten labels")
    one.add_argument("--out", default="people.png", help="the PNG to write (default people.png)")


def _add_scene(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--scene",
        choices=SCENES,
        help="where synthetic people stand (default: non_iconic for MR-Net, else mixed)",
    )


def _add_synthetic(one: argparse.ArgumentParser) -> None:
    _add_scene(one)
    one.add_argument("--identities", type=positive, default=500, help="people (default 500)")
    one.add_argument("--poses", type=positive, default=8, help="poses of each (default 8)")
    one.add_argument("--cache", default=".cache/people", help="folder of rendered people (%(default)s)")


def _add_data(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--data",
        default="synthetic",
        help="synthetic, a folder with a keypoints.csv, NAME:FOLDER of a public dataset such as "
        "market1501:FOLDER (names: pgt data check --help), or video:FILE",
    )
    one.add_argument("--keypoints", help="of a video: a keypoint CSV with a row for each frame")


def _add_cache(commands: argparse._SubParsersAction) -> None:
    one = commands.add_parser("cache", help="render synthetic people to disk before a training")
    one.add_argument("--size", type=image_size, default=(128, 128), help="N or HEIGHTxWIDTH (default 128)")
    one.add_argument("--split", choices=SPLITS, default="train")
    one.add_argument("--processes", type=positive, default=1, help="renderers at work at once (default 1)")
    _add_synthetic(one)


def _add_train(commands: argparse._SubParsersAction) -> None:
    one = commands.add_parser(
        "train",
        help="train an approach; the same command continues a stopped run",
        epilog="Several GPUs: accelerate launch -m pgt train ...; several processes on a CPU: "
        "ACCELERATE_USE_CPU=true accelerate launch --multi_gpu --num_processes 2 -m pgt train ...",
    )
    one.add_argument("approach", choices=APPROACHES + JUDGES + GARMENTS)
    one.add_argument("--preset", required=True, help="a row of pgt.PRESETS, for example pg2-tiny")
    one.add_argument("--run-dir", required=True, help="folder of the run")
    _add_data(one)
    one.add_argument(
        "--held-out",
        type=share,
        default=0.2,
        help="of a video: share of its end kept for scoring (default 0.2)",
    )
    one.add_argument(
        "--held-out-every",
        type=natural,
        default=0,
        metavar="K",
        help="of a video: also every K-th block of 5 frames",
    )
    _add_synthetic(one)
    one.add_argument("--pseudo-labels", help="of SPT: a folder by pgt pseudo-labels (default: search now)")
    one.add_argument("--true-maps", action="store_true", help="of SPT: learn from true pairs of maps instead")
    one.add_argument("--scenes", help="of SPT and --augment: pictures without people (default: synthetic)")
    one.add_argument("--augment", choices=AUGMENTATIONS, help="change pictures of synthetic people at random")
    one.add_argument(
        "--photos",
        help="mix in photos as their own targets: a folder with a keypoints.csv, or NAME:FOLDER as --data",
    )
    one.add_argument("--photo-share", type=share, default=0.2, help="of --photos (default 0.2)")
    one.add_argument("--start-from", help="begin with these weights: a folder, a bundled or a Hub name")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--precision", choices=("no", "bf16", "fp16"), default="no")
    one.add_argument(
        "--accumulation", type=positive, default=1, help="parts in which a batch is worked through"
    )
    one.add_argument("--no-flip", action="store_true", help="do not mirror half of the pairs")
    one.add_argument(
        "--steps-scale", type=positive_float, default=1.0, help="multiplies the steps of all stages"
    )
    one.add_argument("--batch-size", type=positive, help="pairs a step, in place of the preset's")
    one.add_argument("--threads", type=positive, help="CPU threads of each process")
    one.add_argument("--workers", type=int, default=0, help="processes that load pairs (default 0)")
    one.add_argument("--log-every", type=positive, default=50, help="steps")
    one.add_argument("--sample-every", type=positive, default=500, help="steps")
    one.add_argument("--save-every", type=positive, default=1000, help="steps")
    one.add_argument("--max-seconds", type=positive_float, help="save and stop after this time")


def _add_evaluate(commands: argparse._SubParsersAction) -> None:
    one = commands.add_parser("evaluate", help="score weights beside the baselines on unseen people")
    one.add_argument("approach", choices=APPROACHES)
    one.add_argument("--weights", help="name or folder (default: the approach's bundled weights)")
    one.add_argument(
        "--beside",
        nargs="*",
        metavar="[NAME=]WEIGHTS",
        help="other weights for the same table (default: the other approaches' bundled ones of that size)",
    )
    one.add_argument("--split", choices=SPLITS, default="test")
    _add_scene(one)
    _add_data(one)
    one.add_argument("--pairs", type=positive, help="default: of real data as in --protocol's paper, or 400")
    one.add_argument(
        "--protocol", default="pgt", help="pg2, spt, mrnet, mrnet-{bbc,penn}, progressive, patn, patn-176"
    )
    one.add_argument("--metrics", nargs="+", help="downloaded networks': lpips fid kid is mask_is detection")
    one.add_argument("--published", metavar="DATASET", help="show the papers' numbers too: deepfashion, ...")
    one.add_argument(
        "--crop-rivals", action="store_true", help="add PG2 in boxes (default: of synthetic people in scenes)"
    )
    one.add_argument("--latex", action="store_true", help="print LaTeX instead of Markdown")
    one.add_argument("--threads", type=positive, help="CPU threads")
    one.add_argument(
        "--out", help="also write the results as JSON; a stopped command then goes on, but not on a video"
    )


def _add_generate(commands: argparse._SubParsersAction) -> None:
    one = commands.add_parser("generate", help="draw the person of a photo in another pose")
    one.add_argument("--image", required=True, help="the photo")
    one.add_argument("--keypoints", help="its 18 joints: .json or .csv (default: detect them)")
    one.add_argument("--parsing", help="of SPT: its ten labels, .png or .npy, or clothes-parser")
    one.add_argument(
        "--target",
        required=True,
        help="the wanted pose: a .json file, a photo with a row in the keypoint CSV, or that row's name",
    )
    one.add_argument("--target-keypoints", help="the .csv or .json of the target, where it is another file")
    one.add_argument("--out", required=True, help="the PNG to write")
    one.add_argument("--weights", default="pg2-synthetic-128", help="name or folder, or part_warp")
    one.add_argument("--revision", help="commit of the weights on the Hub")
    how = one.add_mutually_exclusive_group()
    how.add_argument("--steps", action="store_true", help="draw source, pose and intermediate pictures too")
    how.add_argument("--paste-back", action="store_true", help="put the result back into the whole photo")
    one.add_argument("--detector", choices=DETECTORS, help=f"what finds joints (default {DETECTORS[0]})")
    one.add_argument("--which", type=positive, metavar="N", help="of several people: the N-th from the left")
    one.add_argument("--person-mask", help="of MR-Net: a mask of the person, .png or .npy, or mask-rcnn")


def _add_compare(commands: argparse._SubParsersAction) -> None:
    one = commands.add_parser("compare", help="draw all approaches and baselines side by side")
    who = one.add_mutually_exclusive_group(required=True)
    who.add_argument("--image", help="the photo")
    who.add_argument(
        "--person", type=natural, nargs="+", action="extend", metavar="N", help="synthetic pairs, one a row"
    )
    one.add_argument("--keypoints", help="the photo's 18 joints: .json or .csv (default: detect them)")
    one.add_argument("--parsing", help="of SPT: the photo's ten labels, .png or .npy (default: find them)")
    one.add_argument("--target", help="of a photo: the wanted pose, as for pgt generate")
    one.add_argument("--target-keypoints", help="the .csv or .json of the target, where it is another file")
    one.add_argument(
        "--truth", action="store_true", help="the target is a photo of the same person: show and score it"
    )
    one.add_argument(
        "--scene",
        choices=SCENES,
        default="mixed",
        help="where synthetic people stand; non_iconic also takes a photo whole (default: mixed)",
    )
    one.add_argument("--split", choices=SPLITS, default="test", help="of synthetic people (default: test)")
    one.add_argument(
        "--weights", nargs="+", action="extend", metavar="[NAME=]W", help="generators (default: all bundled)"
    )
    one.add_argument("--cell", type=positive, default=160, help="height of a picture, pixels (default 160)")
    one.add_argument("--no-scores", action="store_true", help="leave out what stands below the pictures")
    one.add_argument("--threads", type=positive, help="CPU threads")
    one.add_argument("--json", metavar="FILE", help="also write all numbers as JSON")
    one.add_argument("--out", required=True, help="the PNG to write")


def _add_animate(commands: argparse._SubParsersAction) -> None:
    one = commands.add_parser("animate", help="draw the person of a picture in a sequence of poses: a video")
    who = one.add_mutually_exclusive_group(required=True)
    who.add_argument("--image", help="the photo")
    who.add_argument("--person", type=natural, metavar="N", help="synthetic person number N instead")
    one.add_argument("--keypoints", help="the photo's 18 joints: .json or .csv (default: detect them)")
    one.add_argument("--parsing", help="of SPT: the photo's ten labels, .png or .npy (default: find them)")
    how = one.add_mutually_exclusive_group(required=True)
    how.add_argument("--motion", help="walk, run, wave, squat, dance or turn_around")
    how.add_argument(
        "--poses",
        help="video:FILE, a .json sequence, a keypoint .csv (a row a frame) or a folder of OpenPose JSON",
    )
    one.add_argument("--poses-keypoints", metavar="CSV", help="of a video: a row for each frame")
    one.add_argument("--out", required=True, help="the .mp4 or .gif to write")
    one.add_argument("--weights", default="pg2-synthetic-128", help="name or folder, or part_warp")
    one.add_argument("--revision", help="commit of the weights on the Hub")
    one.add_argument("--frames", type=positive, help="of a motion (default 48); of --poses, at most so many")
    one.add_argument(
        "--fps",
        type=positive_float,
        help="frames a second (default: of a video or .json its own, of everything else 25)",
    )
    one.add_argument("--seed", type=natural, default=0, help="manner of the motion (default 0)")
    one.add_argument("--no-smooth", action="store_true", help="take the joints of --poses as they are")
    one.add_argument("--no-fit", action="store_true", help="keep the poses' own place and size")
    one.add_argument("--side-by-side", action="store_true", help="show picture and pose beside the result")


def _add_pseudo_labels(commands: argparse._SubParsersAction) -> None:
    one = commands.add_parser(
        "pseudo-labels",
        help="find training pairs for SPT among unpaired people",
        epilog="The same command continues a stopped search.",
    )
    one.add_argument("--out", required=True, help="folder for index.jsonl and contact_sheet.png")
    one.add_argument("--data", default="synthetic", help="synthetic, or a folder with keypoints and parsing")
    one.add_argument("--size", type=image_size, help="N or HEIGHTxWIDTH (default: 128, or a folder's own)")
    one.add_argument("--candidates", type=candidates, default=500, help='drawn per person, or "all"')
    one.add_argument("--method", choices=("exact", "fast"), default="exact")
    one.add_argument("--variant", choices=("paper", "slides"), default="paper", help="of the distance")
    one.add_argument("--seed", type=natural, default=0, help="of the draws (default 0)")
    one.add_argument("--exclude-same-identity", action="store_true", help="never pick the same person")
    one.add_argument("--threads", type=positive, help="CPU threads")
    _add_synthetic(one)


def _add_push(commands: argparse._SubParsersAction) -> None:
    one = commands.add_parser("push", help="upload weights, config and model card to the Hub")
    one.add_argument("name", help="a checkpoint folder or the name of bundled weights")
    one.add_argument("--to", required=True, metavar="ORG/REPO", help="the Hub repository, made when missing")
    one.add_argument("--private", action="store_true", help="make a new repository private")


def _add_data_commands(commands: argparse._SubParsersAction) -> None:
    data = commands.add_parser("data", help="look through a dataset, or find the joints of your own")
    both = data.add_subparsers(dest="data_command", required=True, metavar="COMMAND")
    check = both.add_parser(
        "check",
        help="count people, pairs and missing joints, and find pictures that cannot be used",
        epilog="Exit code: 1 if something cannot be used or two splits share a person.",
    )
    check.add_argument("name", choices=DATASETS, metavar="NAME", help=", ".join(DATASETS))
    check.add_argument("path", nargs="?", help="its folder (none for synthetic), or the video")
    check.add_argument("--keypoints", help="of a video: a keypoint CSV with a row for each frame")
    check.add_argument("--split", choices=SPLITS, help="only this split (default: all there are)")
    check.add_argument(
        "--read", type=positive, metavar="N", help="read at most so many people of a split (default: all)"
    )
    check.add_argument("--out", help="also draw a contact sheet with skeletons: the PNG to write")
    annotate = both.add_parser(
        "annotate",
        help="find the joints of the main person in every picture of a folder, or frame of a video",
        epilog="The same command continues where it was stopped. It finds no masks.",
    )
    annotate.set_defaults(command="annotate")  # a file of its own in `pgt.commands`
    annotate.add_argument("path", help="a folder of pictures, maybe in images/, or a video")
    annotate.add_argument(
        "--out", help="the keypoint CSV (default: keypoints.csv in the folder, CLIP.csv beside CLIP.mp4)"
    )
    annotate.add_argument(
        "--detector", choices=DETECTORS, default=DETECTORS[0], help=f"what finds joints ({DETECTORS[0]})"
    )


def _add_study(commands: argparse._SubParsersAction) -> None:
    add_study_commands(commands, SCENES)


if __name__ == "__main__":
    sys.exit(main())
