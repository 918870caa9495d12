"""What all variants share: people, partners, scenes, the pairs they are scored on, and features."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from torch import nn

from benchmarks.ablations.material import JUDGES, People
from benchmarks.ablations.study import Effort
from benchmarks.spt_ablations.variants import SIZE, Variant
from pgt.checkpoint import load
from pgt.commands.common import bundled
from pgt.data.part_descriptors import LabelledPeople
from pgt.data.person import Person
from pgt.data.pseudo_label_index import PseudoLabels, write_index
from pgt.data.pseudo_labels import PseudoLabelSearch, SearchOptions
from pgt.data.unpaired import UnpairedPeople, true_partners
from pgt.synthetic.scenes import SyntheticScenes

SCENE = "mixed"
POSES = 2  # pictures of each person: the more, the oftener the search meets somebody's own
PAPERS_PICTURES = 37_258  # to train on, section 4.1
NUM_SCENES = 2000
# As many pictures as the paper has: the chance that a search meets somebody's own is N / (their number).
EFFORT = Effort(identities=PAPERS_PICTURES // POSES, pairs=300)


class Material(People):
    """The data of all variants, made once and kept in a folder.

    Args:
        folder: where; several processes may read it once `prepare` is through.
        effort: how much of it.
    """

    def __init__(self, folder: Path, effort: Effort) -> None:
        super().__init__(folder, effort, SIZE, SCENE, POSES)

    @property
    def identities(self) -> np.ndarray:
        """Who is on each picture to train on, (M,) int."""
        return np.arange(self.people.num_people) // POSES

    def prepare(self, searches: Sequence[tuple[int | None, int]] = ()) -> None:
        """Render and search whatever is missing, so that others need only read.

        Args:
            searches: (number of candidates, seed) of each; None candidates: true partners, nothing to do.
        """
        super().prepare()
        print(f"{len(self._scenes)} scenes", flush=True)
        labelled = None
        for candidates, seed in searches:
            if candidates is not None and not self._index(candidates, seed).exists():
                labelled = labelled or self._labelled()
                options = SearchOptions(num_candidates=candidates, seed=seed)
                write_index(
                    self._index(candidates, seed), PseudoLabelSearch(labelled, options), progress=True
                )

    def dataset(self, variant: Variant, seed: int) -> UnpairedPeople:
        """Return what a variant is trained on: everyone, with a partner who lends pose and map."""
        partners = self.partners(variant.candidates, seed)
        config = variant.config()
        needs_scenes = variant.draws and config.background == "network" and config.auxiliary
        return UnpairedPeople(self._person, partners, list(self._scenes) if needs_scenes else None)

    def partners(self, candidates: int | None, seed: int) -> np.ndarray:
        """Return (P, 2) int, source and target, of a search that `prepare` has made, or true ones."""
        if candidates is None:
            return true_partners(self.identities)
        return PseudoLabels.read(self._index(candidates, seed)).pairs

    def share_of_truth(self, candidates: int, seed: int) -> float:
        """Return how many pseudo-labels are the same person's other picture (Table 4), in percent."""
        source, target = self.partners(candidates, seed).T
        return 100 * float((self.identities[source] == self.identities[target]).mean())

    def _person(self, number: int) -> Person:
        return self.people.person(*divmod(number, POSES))

    def _labelled(self) -> LabelledPeople:
        everyone = map(self._person, range(self.people.num_people))
        return LabelledPeople.from_people(everyone, self.identities)

    def _index(self, candidates: int, seed: int) -> Path:
        name = f"{self.people.folder.name}-{candidates}-{seed}"
        return self.folder / "pseudo_labels" / name / "index.jsonl"

    @cached_property
    def _scenes(self) -> np.ndarray:
        """(N, H, W, 3) uint8, painted once."""
        path = self.folder / "scenes.npy"
        if not path.exists():
            painted = np.stack([*SyntheticScenes("train", SIZE, NUM_SCENES)])
            np.save(path.with_suffix(".new.npy"), painted)
            path.with_suffix(".new.npy").replace(path)  # so that a killed run leaves no half file
        return np.load(path)


def features() -> nn.Module:
    """Load the network behind content and style losses."""
    return load(bundled(JUDGES[1]), quiet=True).features()
