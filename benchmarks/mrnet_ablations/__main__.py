"""Rerun the ablations of MR-Net (Xu et al., TIP 2020, section IV-D) on synthetic people; judge its claims.

    python -m benchmarks.mrnet_ablations --list            # variants, what is there, what the rest will cost
    python -m benchmarks.mrnet_ablations --jobs 2          # make what is missing, print the claims
    python -m benchmarks.mrnet_ablations --only rounds     # one experiment, or variants by name
    python -m benchmarks.mrnet_ablations --write           # also into results/mrnet-claims.* and the README

Scores are kept in results/mrnet, one file per variant and seed; what is there is not made again. A run that
was killed goes on where it was. Small pictures and short trainings: a claim that fails here may hold at the
paper's size, and the other way round.
"""

from collections.abc import Sequence

from benchmarks.ablations import command
from benchmarks.mrnet_ablations.workshop import MRNetWorkshop


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says; 1 where something failed."""
    return command.main(MRNetWorkshop, __doc__.splitlines()[0], arguments)


if __name__ == "__main__":
    raise SystemExit(main())
