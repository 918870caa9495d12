"""`pgt render` and `pgt cache`: synthetic people as a picture, or on disk for a training."""

import argparse

from pgt.commands.common import cached_people, check_suffix, write_picture
from pgt.synthetic.films import film
from pgt.synthetic.people import SyntheticPeople

COLUMNS = 6  # pictures in a row of a contact sheet


def render(arguments: argparse.Namespace) -> None:
    """Draw a contact sheet of synthetic people."""
    from pgt.plot import color_parsing, draw_skeleton, grid

    check_suffix(arguments.out)
    people = SyntheticPeople(arguments.split, arguments.size, arguments.scene)
    if arguments.motion:
        shown = film(people, arguments.seed, arguments.motion, arguments.count)
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
