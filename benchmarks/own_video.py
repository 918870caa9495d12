"""Train MR-Net from scratch on a video, then score the frames it never saw: the project on real pixels.

    python -m benchmarks.own_video --video clip.mp4 --keypoints clip.csv
    python -m benchmarks.own_video --video a.mp4 b.mp4 --keypoints a.csv b.csv --write   # results/own-video.*

The last fifth of the frames is held out. Each held-out pose is drawn from four training frames. Beside MR-Net
stand copies of the source and of the training frame nearest in pose, and the part warp. With `--picture`,
pictures are laid side by side: they show whoever is in the video, and are for your eyes.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import tables
from pgt.__main__ import build_parser, main
from pgt.commands.video import NEAREST, evaluate_on_video
from pgt.config import PRESETS
from pgt.data.person import Pair
from pgt.data.readers.video import nearest_in_pose, read_clip, unseen_pairs
from pgt.evaluation import COPY, EvaluationResult
from pgt.plot import draw_skeleton, grid
from pgt.predictor import PART_WARP, Predictor

PRESET = "mrnet-own-video"
ROW = "MR-Net"
COLUMNS = ("psnr", "foreground_l1", "ssim", "foreground_ssim", "sharpness")
MASKS = {True: "the person, by a median background", False: "the pose mask"}  # the camera stands still?
CELL = (192, 192)  # of the picture, pixels


def measure(video: Path, keypoints: Path, folder: Path, options: argparse.Namespace) -> EvaluationResult:
    """Train on a video in `folder`, or continue there, and score what was held out."""
    data = ["--data", f"video:{video}", "--keypoints", str(keypoints)]
    train = ["train", "mrnet", "--preset", options.preset, *data, "--run-dir", str(folder)]
    train += ["--precision", options.precision, "--steps-scale", str(options.steps_scale)]
    train += ["--threads", str(options.threads), "--seed", str(options.seed)]
    started = time.process_time()
    if main(train) != 0:
        raise SystemExit(f"the training on {video} did not succeed.")
    seconds = time.process_time() - started
    weights = str(folder / "generator")
    words = ["evaluate", "mrnet", *data, "--weights", weights, "--threads", str(options.threads)]
    result = evaluate_on_video(build_parser().parse_args(words), {ROW: Predictor.load(weights)})
    result.facts["training"] = {
        "preset": options.preset,
        "image_size": list(PRESETS[options.preset].image_size),
        "precision": options.precision,
        "seed": options.seed,
        "core_seconds": round(seconds),
    }
    return result


def to_markdown(results: dict[str, EvaluationResult]) -> str:
    """Write a table for each clip, with the line that says what was measured."""
    parts = []
    for name, result in results.items():
        facts = result.facts
        data, training = facts["data"], facts["training"]
        height, width = training["image_size"]
        line = (
            f"`{name}`: {data['held_out_frames']} held-out frames, {data['pairs']} pairs, "
            f"{data['training_frames']} training frames, {height}x{width}; {training['preset']}, "
            f"{training['core_seconds'] / 60:.1f} minutes of one CPU core, seed {training['seed']}. "
            f"Foreground: {MASKS[data['still_camera']]}. "
            f"Measured {facts['date']}, {facts['machine']}, torch {facts['torch']}, {facts['commit']}."
        )
        parts.append(f"{result.to_markdown(COLUMNS)}\n\n{line}\n")
    return "\n".join(parts)


def verdict(result: EvaluationResult) -> str:
    """Say by how much MR-Net is ahead of the copies."""
    ours = result.means[ROW]
    words = []
    for rival in (COPY, NEAREST):
        theirs = result.means[rival]
        gain, share = ours["psnr"] - theirs["psnr"], ours["foreground_l1"] / theirs["foreground_l1"]
        words.append(f"{gain:+.2f} dB and {share:.2f} times the foreground L1 of {rival!r}")
    return "; ".join(words)


def draw(video: Path, keypoints: Path, weights: Path, count: int = 6) -> np.ndarray:
    """Lay some held-out frames side by side: the ways to draw them and the truth: uint8 (H, W, 3)."""
    model, warp = Predictor.load(str(weights)), Predictor.load(PART_WARP)
    clip = read_clip(video, keypoints, model.image_size)
    pairs = unseen_pairs(clip)

    def row(pair: Pair) -> list[np.ndarray]:
        pose = pair.target.pose
        drawn = [one.generate(pair.source, pose).image for one in (warp, model)]
        nearest = nearest_in_pose(pose, clip.training).image
        return [pair.source.image, draw_skeleton(None, pose), nearest, *drawn, pair.target.image]

    titles = ["source", "target pose", "nearest frame", "part warp", ROW, "truth"]
    step = max(1, len(pairs) // count) | 1  # odd, so that the sources differ too
    rows = [row(pair) for pair in pairs[::step]]
    return grid(rows, column_titles=titles, cell_size=CELL)


def keep(results: dict[str, EvaluationResult]) -> None:
    """Write numbers and tables of all clips."""
    content = {name: json.loads(result.to_json()) for name, result in results.items()}
    tables.keep("own-video", content, to_markdown(results))


def run(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", type=Path, nargs="+", required=True)
    parser.add_argument("--keypoints", type=Path, nargs="+", required=True, help="a CSV for each video")
    parser.add_argument("--preset", default=PRESET)
    parser.add_argument("--steps-scale", type=float, default=1.0)
    parser.add_argument("--precision", choices=("no", "bf16"), default="bf16")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--run-dir", type=Path, help="keep the runs here, one folder per video")
    parser.add_argument("--picture", type=Path, help="a folder for a picture of each clip")
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/")
    options = parser.parse_args(arguments)
    if len(options.video) != len(options.keypoints):
        parser.error(
            f"each video needs a keypoint CSV; got {len(options.video)} and {len(options.keypoints)}."
        )
    results = {}
    with tempfile.TemporaryDirectory() as temporary:
        for video, keypoints in zip(options.video, options.keypoints, strict=True):
            folder = (options.run_dir or Path(temporary)) / video.stem
            results[video.name] = measure(video, keypoints, folder, options)
            if options.picture:
                options.picture.mkdir(parents=True, exist_ok=True)
                picture = draw(video, keypoints, folder / "generator")
                Image.fromarray(picture).save(options.picture / f"{video.stem}.png")
    print(to_markdown(results))
    for name, result in results.items():
        print(f"{name}: {verdict(result)}")
    if options.write:
        keep(results)


if __name__ == "__main__":
    run()
