"""The arguments of `pgt study make` and `pgt study report`."""

import argparse
from collections.abc import Sequence

from pgt.arguments import natural, not_negative, positive
from pgt.studies.plan import KINDS


def add_study_commands(commands: argparse._SubParsersAction, scenes: Sequence[str]) -> None:
    """Add the command, with its two commands.

    Args:
        commands: of `pgt`.
        scenes: where synthetic people may stand.
    """
    study = commands.add_parser(
        "study",
        help="ask people: plan a study of pictures, and count its answers",
        epilog="python demo/study.py FOLDER opens the page for the participants.",
    )
    both = study.add_subparsers(dest="study_command", required=True, metavar="COMMAND")
    make = both.add_parser("make", help="choose, blind and order the pictures that people will see")
    make.add_argument("folder", help="of the study; new")
    make.add_argument("--kind", choices=KINDS, default=KINDS[0], help="default real-fake")
    make.add_argument(
        "--pictures",
        help='a folder with a folder for each method, "real", "source" and "pose" (these two are shown '
        "beside pairs), with files of the same names (default: draw synthetic people)",
    )
    make.add_argument(
        "--weights", nargs="+", metavar="[NAME=]W", help="that draw synthetic people (default: all bundled)"
    )
    make.add_argument("--scene", choices=scenes, default="mixed", help="where they stand (default mixed)")
    make.add_argument("--ours", default="SPT", help="of a preference: whose share is counted (default SPT)")
    make.add_argument(
        "--count", type=positive, help="pictures, real and generated each, or pairs, for each method"
    )
    make.add_argument("--practice", type=natural, help="first ones that do not count (default 10, or 0)")
    make.add_argument("--participants", type=positive, help="how many to plan for (default 30, or 35)")
    make.add_argument("--seconds", type=not_negative, help="a picture is shown (default 1, or 0: no limit)")
    make.add_argument("--seed", type=natural, default=0, help="of choice and order (default 0)")
    report = both.add_parser("report", help="R2G and G2R, or preferences, with variance and intervals")
    report.add_argument("folder", help="of the study")
    report.add_argument(
        "--published",
        default="deepfashion",
        metavar="DATASET",
        help="of the papers' studies (default deepfashion)",
    )
    report.add_argument("--each", action="store_true", help="print every participant's shares instead")
    report.add_argument("--unfinished", action="store_true", help="count participants who left early, too")
    report.add_argument("--latex", action="store_true", help="print LaTeX instead of Markdown")
    report.add_argument("--out", help="also write everything as JSON")
