"""`pgt render` and `pgt cache`: synthetic people as a picture, or on disk for a training."""

import argparse
from dataclasses import replace

from pgt.commands.common import cached_people, check_suffix, write_picture
from pgt.data.person import Person
from pgt.synthetic.people import SyntheticPeople, render_people

COLUMNS = 6  # pictures in a row of a contact sheet


def render(arguments: argparse.Namespace) -> None:
    """Draw a contact sheet of synthetic people."""
    from pgt.plot import color_parsing, draw_skeleton, grid

    check_suffix(arguments.out)
    people = SyntheticPeople(arguments.split, arguments.size, arguments.scene)
    if arguments.motion:
        shown = _motion_frames(people, arguments)
    else:
        shown = people.render([(arguments.seed + number, 0) for number in range(arguments.count)])
    rows = []
    for first in range(0, len(shown), COLUMNS):
        row = shown[first : first + COLUMNS]
        rows.append([person.image for person in row])
        if arguments.parsing:
            rows.append([draw_skeleton(person.image, person.pose) for person in row])
            rows.append([color_parsing(person.label_map) for person in row])
    write_picture(arguments.out, grid(rows))


def cache(arguments: argparse.Namespace) -> None:
    """Render synthetic people to disk."""
    from multiprocessing import get_context

    people = cached_people(arguments, arguments.split, arguments.size)
    helpers = [
        get_context("spawn").Process(target=people.fill, kwargs={"progress": False})
        for _ in range(arguments.processes - 1)
    ]
    for helper in helpers:
        helper.start()
    people.fill()
    for helper in helpers:
        helper.join()
    print(f"{people.num_people} people, {len(people)} pairs in {people.folder}")


def _motion_frames(people: SyntheticPeople, arguments: argparse.Namespace) -> list[Person]:
    """Render one person through a motion, under the one camera that keeps every frame in the picture."""
    from pgt.synthetic.camera import draw_camera
    from pgt.synthetic.draw import Draw
    from pgt.synthetic.motions import motion
    from pgt.synthetic.skeleton import joints_18

    seed, spec = arguments.seed, people.spec(arguments.seed, 0)
    body = spec.identity.proportions
    poses = motion(arguments.motion, arguments.count, seed, body, split=people.split)
    framing = "plain" if people.scene == "mixed" else people.scene
    cameras = [
        draw_camera(Draw(seed), framing, joints_18(body, pose.frames(body)), yaw=0.5, shot="full")
        for pose in poses
    ]
    camera = min(cameras, key=lambda one: one.scale)
    return render_people([replace(spec, pose=pose, camera=camera) for pose in poses], people.image_size)
