"""The callbacks of the tab "Edit the map": a person's semantic map is painted, and the person redrawn."""

from dataclasses import dataclass

import gradio as gr
import numpy as np
import view
from callbacks import ChoosesPerson, known, one_sentence
from map_editor import map_to_value, value_to_map
from studio import Studio, Subject
from tailor import EDITS, WHERE, Made, Tailor, composition, tinted

from pgt.data.person import Person
from pgt.plot import color_parsing

# (number of the person, scene, ready-made edit); the first is what the tab opens with
EXAMPLES = (
    (41, "Studio", "Shorter sleeves"), (0, "Studio", "Longer sleeves"), (19, "Studio", "Dress to pants"),
    (31, "Studio", "Pants to skirt"), (2, "Street", "Dress to pants"), (58, "Room", "Longer sleeves"),
)  # fmt: skip
CHANGED = next(iter(WHERE))


@dataclass(frozen=True, eq=False)
class MapSession:
    """What one visitor is painting."""

    person: Person  # in SPT's frame, with the own map
    subject: Subject
    made: Made
    tint: bool


class MapHandlers(ChoosesPerson):
    """Callbacks over one studio and its tailor."""

    def __init__(self, studio: Studio, tailor: Tailor, device: str) -> None:
        self.studio = studio
        self.tailor = tailor
        self.device = device

    # Choosing somebody: each returns (session, source, editor, result) ------------------------------------

    @one_sentence
    def open(self, session: MapSession | None, where: str, tint: bool) -> tuple:
        """Fill the tab when it is first opened: the examples, then as `use_example`."""
        if session is not None:
            return (gr.skip(),) * 7
        cards = [(self.studio.portrait(seed, scene), seed, edit) for seed, scene, edit in EXAMPLES]
        return view.example_cards(cards), *self.use_example(*EXAMPLES[0], where, tint)

    def show(self, subject: Subject, where: str, tint: bool, edit: str | None = None) -> tuple:
        """Show somebody with the own map, or with one after a ready-made edit."""
        person = self.tailor.person(subject)
        label_map = person.label_map
        if edit is not None:
            label_map = self.tailor.edited(edit, label_map, person.pose)
        session, result, pictures = self._draw(subject, label_map, where, tint)
        editor = gr.update(
            value=map_to_value(label_map), initial=map_to_value(person.label_map), pictures=pictures
        )
        return session, view.source(person.image, subject.is_synthetic), editor, result

    @one_sentence
    def use_example(self, seed: int, scene: str, edit: str, where: str, tint: bool) -> tuple:
        """Show a synthetic person after a ready-made edit; its number and scene come first."""
        return seed, scene, *self.show(self.studio.synthetic(seed, scene), where, tint, edit)

    # Drawing ----------------------------------------------------------------------------------------------

    @one_sentence
    def release(self, session: MapSession | None, label_map: np.ndarray, where: str, tint: bool) -> tuple:
        """Redraw the session's person by the painted map: (session, result, editor's pictures)."""
        session, result, pictures = self._draw(known(session).subject, label_map, where, tint)
        return session, result, gr.update(pictures=pictures)

    @one_sentence
    def premade(self, session: MapSession | None, label_map: np.ndarray, name: object) -> dict:
        """Apply a ready-made edit to the map in the editor, and return its new value."""
        return map_to_value(self.tailor.edited(name, label_map, known(session).person.pose))

    @one_sentence
    def explain(self, session: MapSession | None, wanted: bool) -> str:
        """Show how the result came about, if somebody is looking."""
        if not wanted or session is None:
            return ""
        person, result = session.person, session.made.result
        given = [
            (person.image, "Source", "picture and joints stay as they are"),
            (color_parsing(person.label_map), "Its own map", "told apart by ten labels"),
        ]
        if session.tint:
            shown = tinted(person, result.label_map).image
            given.append((shown, "Tinted", "what the network is shown: changed parts recoloured"))
        return view.steps([*given, *composition(result)], legend=True)

    def _draw(
        self, subject: Subject, label_map: np.ndarray, where: str, tint: bool
    ) -> tuple[MapSession, str, dict[str, str]]:
        person, made = self.tailor.person(subject), self.tailor.redraw(subject, label_map, where, tint=tint)
        pictures = {
            "source": view.picture_address(person.image, "JPEG"),
            "result": view.picture_address(made.result.image, "JPEG"),
        }
        facts = (f"{made.milliseconds:.0f} ms", self.device)
        result = view.result(made.result.image, facts, "The person, redrawn by the edited map")
        return MapSession(person, subject, made, tint), result, pictures

    # For programs: no session -----------------------------------------------------------------------------

    @one_sentence
    def api_label_map(self, seed: int, scene: str = "Studio") -> dict:
        """Render a synthetic person with its semantic map, and list the map's ready-made edits.

        Args:
            seed: 0 to 999999; the same number is the same person.
            scene: "Studio", "Room" or "Street".

        Returns:
            picture (PNG as a data address), label_map (its own), edits (name -> edited map; edits that would
            change nothing are left out). A map is {"image_size": [H, W], "runs": "0*431 3*12 ..."}: labels 0
            to 9 and how many pixels have them, row by row.
        """
        person = self.tailor.person(self.studio.synthetic(seed, scene))
        edits = {}
        for name in EDITS:
            try:
                edits[name] = map_to_value(self.tailor.edited(name, person.label_map, person.pose))
            except ValueError:  # it would change nothing, or its limbs are not in the picture
                continue
        return {
            "picture": view.picture_address(person.image),
            "label_map": map_to_value(person.label_map),
            "edits": edits,
        }

    @one_sentence
    def api_redraw(
        self, seed: int, scene: str, label_map: dict, where: str = CHANGED, tint: bool = True
    ) -> dict:
        """Redraw a synthetic person by an edited semantic map.

        Args:
            seed: 0 to 999999.
            scene: "Studio", "Room" or "Street".
            label_map: as from /label_map.
            where: "Only what changed" or "The whole person".
            tint: show the network what changed in the mean colour of its new label.

        Returns:
            picture (PNG as a data address), milliseconds.
        """
        subject = self.studio.synthetic(seed, scene)
        made = self.tailor.redraw(subject, value_to_map(label_map), where, tint=tint)
        return {
            "picture": view.picture_address(made.result.image),
            "milliseconds": round(made.milliseconds, 1),
        }
