"""Rerun the ablations of SPT (Song et al., TPAMI 2021, section 4.3) on synthetic people; judge its claims.

    python -m benchmarks.spt_ablations --list              # variants, what is there, what the rest will cost
    python -m benchmarks.spt_ablations --jobs 2            # make what is missing, print the claims
    python -m benchmarks.spt_ablations --only fig11        # one experiment, or variants by name
    python -m benchmarks.spt_ablations --write             # also into results/spt-claims.* and the README

Scores are kept in results/spt, one file per variant and seed; what is there is not made again. A run that was
killed goes on where it was. Small pictures and short trainings: a claim that fails here may hold at the
paper's size, and the other way round.
"""

from collections.abc import Sequence

from benchmarks.ablations import command
from benchmarks.spt_ablations.workshop import Workshop


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says; 1 where something failed."""
    return command.main(Workshop, __doc__.splitlines()[0], arguments)


if __name__ == "__main__":
    raise SystemExit(main())
