"""`pgt animate`: one picture and a sequence of poses become a video."""

import argparse
from typing import TYPE_CHECKING

from pgt.commands.generate import note
from pgt.commands.video import PREFIX
from pgt.data.person import Person

if TYPE_CHECKING:
    from pgt.applications.pose_sequences import PoseSequence

SIZE = (256, 256)  # of a synthetic person's picture, for a model without a frame of its own
FRAMES = 48  # of a motion


def animate(arguments: argparse.Namespace) -> None:
    """Draw a person in a sequence of poses and write the video."""
    from pgt.applications import animation
    from pgt.predictor import PART_WARP, Predictor

    animation.check_video_file(arguments.out)
    name = PART_WARP if arguments.weights in ("part_warp", PART_WARP) else arguments.weights
    predictor = Predictor.load(name, revision=arguments.revision)
    person = _person(arguments, predictor.image_size)
    sequence = _sequence(arguments, person)
    frames = animation.animate(predictor, person, sequence)
    if arguments.side_by_side:
        frames = animation.side_by_side(person, sequence, frames)
    count = animation.write_video(arguments.out, frames, sequence.fps)
    print(f"{arguments.out}: {count} frames, {sequence.fps:g} a second")


def _person(arguments: argparse.Namespace, size: tuple[int, int] | None) -> Person:
    """Read the photo, or render a synthetic person; `size` is the model's (H, W), if it has one."""
    from pgt.photos import Finders, frame_person, person_from_photo
    from pgt.synthetic.people import SyntheticPeople

    if arguments.person is not None:
        if arguments.keypoints or arguments.parsing:
            raise ValueError("--keypoints and --parsing belong to --image; a synthetic person knows its own.")
        return SyntheticPeople("test", size or SIZE, "plain").person(arguments.person)
    person = person_from_photo(
        arguments.image, arguments.keypoints, finders=Finders(tell=note), parsing=arguments.parsing
    )
    # What stays as it is lies in the whole photo's frame.
    return person if size is None or arguments.no_fit else frame_person(person, size)


def _sequence(arguments: argparse.Namespace, person: Person) -> "PoseSequence":
    """Make or read the poses, smooth those that were read, and fit them to the person."""
    from pgt.applications.pose_sequences import FPS, PoseSequence, fit_sequence
    from pgt.applications.smoothing import smooth

    is_video = (arguments.poses or "").startswith(PREFIX)
    if is_video and not arguments.poses_keypoints:
        raise ValueError("A video needs --poses-keypoints: a CSV with the joints of every frame.")
    if arguments.poses_keypoints and not is_video:
        raise ValueError(f"--poses-keypoints belongs to a video: write --poses {PREFIX}FILE.")
    if arguments.motion:
        fps, count = arguments.fps or FPS, arguments.frames or FRAMES
        sequence = PoseSequence.from_motion(arguments.motion, count, fps=fps, seed=arguments.seed)
    else:
        sequence = _read(arguments, person.image_size, is_video=is_video)
        sequence = sequence if arguments.no_smooth else smooth(sequence)
        sequence = sequence.first(arguments.frames or len(sequence))
    return sequence if arguments.no_fit else fit_sequence(sequence, person)


def _read(arguments: argparse.Namespace, size: tuple[int, int], *, is_video: bool) -> "PoseSequence":
    """Read the poses; `size` is that of the frame of a file which does not tell."""
    from pgt.applications.pose_sequences import PoseSequence

    if not is_video:
        return PoseSequence.read(arguments.poses, image_size=size, fps=arguments.fps)
    video = arguments.poses.removeprefix(PREFIX)
    return PoseSequence.of_video(video, arguments.poses_keypoints, fps=arguments.fps)
