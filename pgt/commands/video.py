"""`--data video:FILE --keypoints CSV`: one's own video in place of a set of pictures."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pgt.checkpoint import Card, find, read_card
from pgt.commands.common import DEFAULT_PAIRS
from pgt.data.person import Pair

if TYPE_CHECKING:
    from pgt.data.readers.video import FramePairs, HoldOut, VideoClip
    from pgt.evaluation import EvaluationResult
    from pgt.predictor import Predictor

PREFIX = "video:"  # in front of the file, as value of --data
LEARNERS = ("pg2", "mrnet", "progressive")  # need pairs, and nothing that a video does not have
DEFAULT_SIZE = (128, 128)  # of weights without a frame of their own
NEAREST = "copy the nearest frame"  # of those in training, nearest in pose
_LAST, _EVERY = "held out at the end", "held out before it, one block of"  # facts on the card


def is_video(arguments: argparse.Namespace) -> bool:
    """Say whether the data is a video.

    Raises:
        ValueError: one of video and keypoints is given without the other.
    """
    given = arguments.data.startswith(PREFIX)
    if given and not arguments.keypoints:
        raise ValueError("A video needs --keypoints: a CSV with the joints of every frame.")
    if arguments.keypoints and not given:
        raise ValueError(f"--keypoints belongs to a video: write --data {PREFIX}FILE.")
    return given


def training_pairs(
    arguments: argparse.Namespace, size: tuple[int, int], num_samples: int
) -> tuple["FramePairs", list[Pair]]:
    """Return the pairs of training frames, and some with held-out targets to draw while training.

    Raises:
        ValueError: the approach needs more than pairs, or as `read_clip`.
    """
    from pgt.data.readers.video import FramePairs, HoldOut, unseen_pairs

    if arguments.approach not in LEARNERS:
        raise ValueError(f"{arguments.approach} cannot learn from a video alone; {', '.join(LEARNERS)} can.")
    clip = _read(arguments, size, HoldOut(arguments.held_out, arguments.held_out_every))
    return FramePairs(clip.training), _spread(unseen_pairs(clip), num_samples)


def video_card(arguments: argparse.Namespace, card: Card) -> Card:
    """Add to a model card which video was trained on, and which of its frames were not."""
    name = Path(arguments.data.removeprefix(PREFIX)).name
    facts = {_LAST: arguments.held_out} | (
        {_EVERY: arguments.held_out_every} if arguments.held_out_every else {}
    )
    return card | {
        "data": f"The frames of one video, {name!r}, but for those held out.",
        "training": {**card.get("training", {}), **facts},
        "limits": "Has seen one person in one place: it draws nobody and nothing else.",
    }


def evaluate_on_video(
    arguments: argparse.Namespace, rows: dict[str, "Predictor"], **how: object
) -> "EvaluationResult":
    """Score predictors on held-out frames beside the baselines; sources are training frames.

    Which frames are held out is on the card of the first row's weights, if they were trained on a video.
    `how` are further arguments of `pgt.evaluation.evaluate`.
    """
    from pgt.data.readers.video import nearest_in_pose, unseen_pairs
    from pgt.evaluation import evaluate

    first = next(iter(rows.values()))
    clip = _read(arguments, first.image_size or DEFAULT_SIZE, _held_out_of(first.name))
    sources = clip.training

    def nearest(pairs: list[Pair]) -> list:
        return [nearest_in_pose(pair.target.pose, sources).image for pair in pairs]

    facts = {"video": Path(arguments.data.removeprefix(PREFIX)).name, "training_frames": len(sources)}
    facts |= {"held_out_frames": len(clip.unseen), "still_camera": clip.still}
    return evaluate(
        {**rows, NEAREST: nearest},
        _spread(unseen_pairs(clip), arguments.pairs or DEFAULT_PAIRS),
        mask="person" if clip.still else "pose",
        data=facts,
        progress=True,
        **how,
    )


def _read(arguments: argparse.Namespace, size: tuple[int, int], hold_out: "HoldOut") -> "VideoClip":
    from pgt.data.readers.video import read_clip

    return read_clip(arguments.data.removeprefix(PREFIX), arguments.keypoints, size, hold_out)


def _held_out_of(weights: str) -> "HoldOut":
    """Read from a card what its training left out; the default where it says nothing."""
    from pgt.data.readers.video import HoldOut

    facts = read_card(find(weights)[0]).get("training", {})
    return HoldOut(float(facts[_LAST]), int(facts.get(_EVERY, 0))) if _LAST in facts else HoldOut()


def _spread(pairs: list[Pair], count: int) -> list[Pair]:
    """Take at most `count` pairs, evenly spaced."""
    count = min(count, len(pairs))
    return [pairs[number * len(pairs) // count] for number in range(count)]
