"""The callbacks of the tab "Try on": a person in a product's picture, in somebody's clothes, in any cloth."""

import random
from dataclasses import dataclass

import gradio as gr
import numpy as np
import view
from callbacks import ChoosesPerson, known, one_sentence, photo_file
from PIL import Image
from studio import MAX_SEED, Studio, Subject
from tailor import UPPER, Garment, Made, Tailor, composition, scores_of

# (number of the person, scene, number of the product); the first is what the tab opens with
EXAMPLES = ((76, "Studio", 87), (28, "Studio", 41), (34, "Street", 58), (0, "Studio", 92))


@dataclass(frozen=True, eq=False)
class TryOnSession:
    """Who tries on what."""

    subject: Subject
    garment: Garment
    made: Made


class TryOnHandlers(ChoosesPerson):
    """Callbacks over one studio and its tailor."""

    def __init__(self, studio: Studio, tailor: Tailor, device: str) -> None:
        self.studio = studio
        self.tailor = tailor
        self.device = device

    @one_sentence
    def open(self, session: TryOnSession | None, cut: bool, align: bool) -> tuple:
        """Fill the tab when it is first opened: the examples, then as `use_example`."""
        if session is not None:
            return (gr.skip(),) * 8
        cards = []
        for number, scene, product in EXAMPLES:
            garment = self.tailor.product(product)
            size = self.studio.size[::-1]
            laid = np.asarray(Image.fromarray(garment.image).resize(size, Image.Resampling.BILINEAR))
            both = np.concatenate([self.studio.portrait(number, scene), laid], axis=1)
            cards.append((both, number, garment.name))
        return view.example_cards(cards), *self.use_example(*EXAMPLES[0], cut, align)

    # Choosing somebody: each returns (session, source, garment, result) -----------------------------------

    def show(self, subject: Subject, session: TryOnSession | None, cut: bool, align: bool) -> tuple:
        """Show somebody else in the same garment."""
        return self._draw(subject, known(session).garment, cut, align)

    @one_sentence
    def use_example(self, seed: int, scene: str, product: int, cut: bool, align: bool) -> tuple:
        """Show a synthetic person in a product; the numbers and the scene come first."""
        subject, garment = self.studio.synthetic(seed, scene), self.tailor.product(product)
        return seed, scene, product, *self._draw(subject, garment, cut, align)

    # Choosing a garment: the same four ---------------------------------------------------------------------

    @one_sentence
    def wear_product(self, session: TryOnSession | None, product: float, cut: bool, align: bool) -> tuple:
        """Try on the product of a number."""
        return self._draw(known(session).subject, self.tailor.product(product), cut, align)

    @one_sentence
    def another_product(self, session: TryOnSession | None, cut: bool, align: bool) -> tuple:
        """Try on the product of a random number, which comes first."""
        number = random.randint(0, MAX_SEED)
        return number, *self._draw(known(session).subject, self.tailor.product(number), cut, align)

    @one_sentence
    def wear_clothes(self, session: TryOnSession | None, seed: float, scene: str, region: str) -> tuple:
        """Try on what another synthetic person wears."""
        other = self.studio.synthetic(seed, scene)
        return self._draw(known(session).subject, self.tailor.clothes_of(other, region))

    @one_sentence
    def wear_cloth(
        self, session: TryOnSession | None, seed: float, picture: str | None, region: str
    ) -> tuple:
        """Try on a piece of cloth, or any picture."""
        return self._draw(known(session).subject, self.tailor.cloth(seed, picture, region))

    # What is shown ----------------------------------------------------------------------------------------

    @one_sentence
    def compare(self, session: TryOnSession | None) -> str:
        """Show, for a product, the truth, the baseline without learning, and the scores."""
        if session is None:
            return ""
        subject, product = session.subject, session.garment.product
        if product is None:
            return view.note("A styled image has no truth to compare with.")
        pasted = self.tailor.pasted(subject, product)
        truth = self.tailor.product_truth(subject, product)
        baseline = view.figure(pasted, "Pasted", "no learning")
        if truth is None:
            remark = "There is no truth to compare with: it needs a synthetic person, and no dress."
            return view.strip([baseline]) + view.note(remark)
        result = session.made.result
        pictures = {"SPT": result.image, "Pasted": pasted, "As before": self.tailor.person(subject).image}
        scores = scores_of(pictures, truth, (UPPER,))
        shown = view.strip([view.figure(truth.image, "Truth", "rendered"), baseline])
        return shown + view.region_table(scores)

    @one_sentence
    def explain(self, session: TryOnSession | None, wanted: bool) -> str:
        """Show how the result came about, if somebody is looking."""
        if not wanted or session is None:
            return ""
        result = session.made.result
        as_is = np.array_equal(result.base, self.tailor.person(session.subject).image)
        given = [
            (session.garment.image, "Garment", "its texture is read part by part, as if worn"),
            (result.base, "Person", "as given" if as_is else "sleeves brought to the product's length"),
        ]
        return view.steps([*given, *composition(result)], legend=True)

    def _draw(self, subject: Subject, garment: Garment, cut: bool = True, align: bool = False) -> tuple:
        made = self.tailor.try_on(subject, garment, cut=cut, align=align)
        facts = (f"{made.milliseconds:.0f} ms", self.device)
        result = view.result(made.result.image, facts, "The person in the chosen garment")
        source = view.source(self.tailor.person(subject).image, subject.is_synthetic)
        return TryOnSession(subject, garment, made), source, _garment_figure(garment), result

    # For programs: no session -----------------------------------------------------------------------------

    @one_sentence
    def api_try_on_product(self, seed: int, scene: str, product: int, cut: bool = True) -> dict:
        """Dress a synthetic person in a product.

        Args:
            seed: 0 to 999999.
            scene: "Studio", "Room" or "Street".
            product: 0 to 999999, its number.
            cut: bring the person's sleeves to the product's length first.

        Returns:
            picture and product (PNG as data addresses), milliseconds.
        """
        return self._for_program(self.studio.synthetic(seed, scene), self.tailor.product(product), cut)

    @one_sentence
    def api_try_on_style(self, seed: int, scene: str, picture: str, region: str = "Upper clothes") -> dict:
        """Put the texture of any picture onto the clothes of a synthetic person.

        Args:
            seed: 0 to 999999.
            scene: "Studio", "Room" or "Street".
            picture: a JPEG, PNG or WebP as base64, at most 10 MB.
            region: "Upper clothes", "Pants" or "Skirt".

        Returns:
            picture (PNG as a data address), milliseconds.
        """
        subject = self.studio.synthetic(seed, scene)
        with photo_file(picture) as path:
            answer = self._for_program(subject, self.tailor.cloth(0, path, region))
        return {name: answer[name] for name in ("picture", "milliseconds")}

    def _for_program(self, subject: Subject, garment: Garment, cut: bool = True) -> dict:
        made = self.tailor.try_on(subject, garment, cut=cut)
        return {
            "picture": view.picture_address(made.result.image),
            "product": view.picture_address(garment.image),
            "milliseconds": round(made.milliseconds, 1),
        }


def _garment_figure(garment: Garment) -> str:
    """Show a garment with the landmarks or corners that say where it belongs."""
    if garment.product is not None:
        points = np.array(list(garment.product.landmarks.values()))
        note = "the dots stand for the wearer's joints"
        return view.marked(garment.image, points, garment.name, note, closed=False)
    if garment.corners is None:
        return view.figure(garment.image, garment.name, "its middle is laid onto the body", large=True)
    note = "the outline is laid onto the body"
    return view.marked(garment.image, garment.corners, garment.name, note, closed=True)
