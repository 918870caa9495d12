"""Rerun the ablations of Progressive (2020, section 4.2) on synthetic people; judge its claims.

    python -m benchmarks.progressive_ablations --list        # what there is, what the rest will cost
    python -m benchmarks.progressive_ablations --jobs 2      # make what is missing, print the claims
    python -m benchmarks.progressive_ablations --only table1 # one experiment, or variants by name
    python -m benchmarks.progressive_ablations --write       # also into results/ and the README

Scores are kept in results/progressive, one file per variant and seed; what is there is not made again. A run
that was killed goes on where it was. Pictures of 128x128 and short trainings: a claim that fails here may
hold at the paper's 1024x1024, and the other way round.
"""

from collections.abc import Sequence

from benchmarks.ablations import command
from benchmarks.progressive_ablations.workshop import ProgressiveWorkshop


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says; 1 where something failed."""
    return command.main(ProgressiveWorkshop, __doc__.splitlines()[0], arguments)


if __name__ == "__main__":
    raise SystemExit(main())
