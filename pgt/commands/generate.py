"""`pgt generate`: the person of a photo in another pose."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pgt.commands.common import check_suffix, write_picture
from pgt.data.person import Person
from pgt.data.pose import Pose

if TYPE_CHECKING:
    from pgt.photos import Detector
    from pgt.predictor import Prediction


SEGMENTER, PARSER = "mask-rcnn", "clothes-parser"  # in place of a file


def generate(arguments: argparse.Namespace) -> None:
    """Draw the person of a photo in another pose."""
    from pgt.photos import frame_person
    from pgt.plot import grid
    from pgt.predictor import PART_WARP, Predictor

    check_suffix(arguments.out)
    source = _source_person(arguments)
    name = PART_WARP if arguments.weights in ("part_warp", PART_WARP) else arguments.weights
    predictor = Predictor.load(name, revision=arguments.revision)
    target, framed = target_person(arguments, source), source
    if predictor.image_size is not None:
        framed, target = (frame_person(one, predictor.image_size) for one in (source, target))
    prediction = predictor.generate(framed, target)
    picture = prediction.image
    if arguments.steps:
        steps = _steps(prediction)
        picture = grid([list(steps.values())], column_titles=list(steps))
    if arguments.paste_back:
        picture = _in_photo(arguments.image, source, prediction)
    write_picture(arguments.out, picture)


def _source_person(arguments: argparse.Namespace) -> Person:
    """Read the photo; what is given as no file, and is wanted, is looked for."""
    from pgt.photos import Finders, load_clothes_parser, person_from_photo, segment_people

    if arguments.which is not None and arguments.keypoints is not None:
        raise ValueError("--which chooses among detected people; with --keypoints nobody is detected.")
    mask, parsing = arguments.person_mask, arguments.parsing
    finders = Finders(
        people=_detector(arguments, wanted=arguments.keypoints is None),
        segmenter=segment_people if mask == SEGMENTER else None,
        parser=load_clothes_parser() if parsing == PARSER else None,
        number=arguments.which,
        tell=note,
    )
    return person_from_photo(
        arguments.image,
        arguments.keypoints,
        finders=finders,
        parsing=None if parsing == PARSER else parsing,
        person_mask=None if mask == SEGMENTER else mask,
    )


def _detector(arguments: argparse.Namespace, *, wanted: bool) -> "Detector | None":
    """Load another detector of people than the default one, if it is asked for and needed."""
    from pgt.photos import load_vitpose

    return load_vitpose() if wanted and arguments.detector == "vitpose" else None


def note(sentence: str) -> None:
    """Say on stderr what the user should know, though it works."""
    print(f"pgt: {sentence}", file=sys.stderr)


def _in_photo(path: str, source: Person, prediction: "Prediction") -> np.ndarray:
    """Put a result back where its source was cut out of the photo, at the photo's own resolution."""
    from pgt.photos import find_frame, open_photo, paste_back
    from pgt.predictor import unfit_picture

    photo = open_photo(path)
    frame = find_frame(source, prediction.image.shape[:2]).scaled(source.image_size, photo.shape[:2])
    return paste_back(photo, unfit_picture(prediction.image, (frame.height, frame.width)), frame)


def _steps(prediction: "Prediction") -> dict[str, np.ndarray]:
    """Gather the pictures that a prediction went through, by title."""
    from pgt.plot import color_parsing, draw_skeleton

    maps = {"source map": prediction.source.label_map, "map": prediction.label_map}
    if prediction.label_map is None:
        maps = {}
    steps = {
        "source": prediction.source.image,
        "target pose": draw_skeleton(None, prediction.target),
        **{title: color_parsing(labels) for title, labels in maps.items()},
        "coarse": prediction.coarse,
        "difference": prediction.difference_map,
        "foreground": prediction.foreground,
        "background": prediction.background,
        "result": prediction.image,
    }
    return {title: image for title, image in steps.items() if image is not None}


def target_person(arguments: argparse.Namespace, source: Person) -> Person:
    """Find who takes the wanted pose: the person of a photo, or, of a pose alone, nobody on black."""
    from pgt.photos import Finders, person_from_photo

    target, joints = Path(arguments.target), arguments.target_keypoints
    own = joints is not None
    if not own and (arguments.keypoints or "").lower().endswith(".csv"):  # it may have both people
        joints = arguments.keypoints
    if target.suffix.lower() != ".json" and target.is_file():
        detector = _detector(arguments, wanted=joints is None) if "detector" in arguments else None
        finders = Finders(detector, tell=lambda sentence: note(f"{target}: {sentence}"))
        return person_from_photo(target, joints, finders=finders, lone_row=own)
    pose = _written_pose(target, joints, source.image_size)
    if not pose.visible.any():
        raise ValueError(f"The target {arguments.target!r} has no visible joint.")
    return Person(np.zeros((*pose.image_size, 3), np.uint8), pose)


def _written_pose(target: Path, joints: str | None, size: tuple[int, int]) -> Pose:
    """Read a pose from a JSON file, or by its name from a keypoint CSV; `size` where the file has none."""
    from pgt.photos import read_pose_file

    if target.suffix.lower() == ".json":
        text = target.read_text(encoding="utf-8")
        try:
            return Pose.from_json(text)
        except ValueError:  # a file without a size; any other fault is found again
            return Pose.from_json(text, size)
    if joints is None or Path(joints).suffix.lower() != ".csv":
        raise ValueError(
            f"The target {str(target)!r} is no file; a name needs a keypoint CSV (--target-keypoints)."
        )
    return read_pose_file(joints, size, str(target), lone_row=False)
