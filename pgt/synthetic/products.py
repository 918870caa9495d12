"""Product pictures: the top or dress of an identity laid flat, with its landmarks; and swatches of cloth.

What virtual try-on starts from (Song et al., TPAMI 2021, section 4.4). The cut, the cloth and its place on
the garment are those of the identity, so that a person rendered in it (`outfits.dressed_as`) is the truth for
trying it on.
"""

from dataclasses import dataclass, replace

import numpy as np

from pgt.synthetic.draw import Draw
from pgt.synthetic.flat_lay import Sheet
from pgt.synthetic.garments import UPPER, Top
from pgt.synthetic.textures import KINDS, Texture, draw_texture, luminance
from pgt.synthetic.wardrobe import Identity, draw_identity

# The eight landmarks of section 4.4; left and right are the wearer's own.
LANDMARKS = tuple(
    f"{side}_{name}" for name in ("collar", "elbow", "sleeve_end", "hem") for side in ("left", "right")
)
SIGN = {"left": 1.0, "right": -1.0}  # of x: the wearer's left is on the picture's right
HALF_WIDTH = 0.212  # of a trunk laid flat: a quarter turn of `garments`' cloth coordinate u


@dataclass(frozen=True, eq=False)
class Product:
    """A garment on a plain table, photographed from above.

    Args:
        image: uint8 (H, W, 3).
        mask: bool (H, W), where the garment is.
        landmarks: name of `LANDMARKS` -> (x, y) pixels. Sleeveless garments have neither elbow nor sleeve
            end. The elbow of a short sleeve lies where the arm would go on, beside the cloth.
        joints: "left_shoulder", ... "right_hip" -> (x, y): where the wearer's own joints would be, which no
            annotator sees.
        label: what the garment is on a semantic map (3, upper clothes).
        identity: whose it is.
    """

    image: np.ndarray
    mask: np.ndarray
    landmarks: dict[str, tuple[float, float]]
    joints: dict[str, tuple[float, float]]
    label: int
    identity: Identity

    @property
    def label_map(self) -> np.ndarray:
        """S_c: uint8 (H, W), `label` on the garment and 0 beside it."""
        return np.where(self.mask, self.label, 0).astype(np.uint8)


def product_picture(
    identity: Identity | int, size: tuple[int, int] = (256, 256), *, split: str = "train"
) -> Product:
    """Lay the top (or the dress) of an identity flat.

    Args:
        identity: whose, or its seed in `split`.
        size: (H, W) of the picture; the garment fills it up to a margin.
        split: of the seed.
    """
    one = draw_identity(identity, split) if isinstance(identity, int) else identity
    garment = _Garment(one)
    sheet = Sheet(size, garment.box)
    garment.lay(sheet)

    def placed(points: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        return {name: tuple(sheet.place(np.array(point)).tolist()) for name, point in points.items()}

    return Product(
        sheet.picture(),
        sheet.covered >= 0.5,
        placed(garment.landmarks()),
        placed(garment.joints()),
        UPPER,
        one,
    )


def style_swatch(
    style: Texture | int, size: tuple[int, int] = (256, 256), *, metres: float = 0.5, kind: str | None = None
) -> np.ndarray:
    """Photograph a piece of cloth that fills the picture: a styled image to try on.

    Args:
        style: the cloth, or a seed to draw one from.
        size: (H, W).
        metres: height of the piece.
        kind: with a seed: one of `textures.KINDS`; any of them by default.

    Returns:
        uint8 (H, W, 3).

    Raises:
        ValueError: an unknown kind.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"There is no cloth {kind!r}; there are {', '.join(KINDS)}.")
    cloth = style if isinstance(style, Texture) else draw_texture(Draw(44, style), kind and {kind: 1.0})
    half = metres / 2
    across = half * size[1] / size[0]
    sheet = Sheet(size, (-across, -half, across, half), margin=0.0)
    sheet.lay(np.ones(size, np.float32), cloth, flat=True)
    return sheet.picture()


class _Garment:
    """The pattern pieces of a top in metres, x towards the wearer's left, y the height above the hips."""

    def __init__(self, identity: Identity) -> None:
        self.identity, self.top, self.body = identity, identity.top, identity.proportions
        p, top = self.body, self.top
        self.neck_base = p.pelvis + p.spine + p.chest
        self.stands = top.collar or top.hood
        self.neck_top = self.neck_base + (0.030 if self.stands else 0.012)
        self.neck_width = 0.098 if top.neck == "scoop" else 0.078
        self.half = HALF_WIDTH + 0.7 * top.ease
        self.hem = top.hem
        inward = 0.0 if top.sleeve > 0 else 0.035
        self.tip = np.array([p.shoulder_half_width + 0.02 + top.ease - inward, self.neck_base - 0.032])
        self.armpit = np.array([self.half, self.neck_base - 0.205])
        self.arm = p.upper_arm + p.forearm
        turn = np.radians(52 - 27 * min(1.0, top.sleeve))  # short sleeves stick out, long ones hang
        self.along = np.array([np.sin(turn), -np.cos(turn)])
        self.across = np.array([-np.cos(turn), -np.sin(turn)])  # from the upper seam to the lower one
        self.shoulder = self.tip + 0.045 * self.across

    # --- where things are ---

    @property
    def bottom(self) -> float:
        """Height of the lower edge."""
        if not self.identity.dress:
            return self.hem
        return -self.identity.bottom.length * (self.body.thigh + self.body.calf)

    @property
    def sleeve_end(self) -> np.ndarray:
        """Middle of the sleeve's opening, on the wearer's left."""
        return self.shoulder + self.top.sleeve * self.arm * self.along

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of the whole garment."""
        reach = max(self._width_at(self.bottom), self.half)
        if self.top.sleeve > 0:
            reach = max(reach, *self._sleeve()[:, 0])
        low = min(self.bottom, *(self._sleeve()[:, 1] if self.top.sleeve > 0 else [0.0]))
        return -reach, low, reach, self.neck_top + (0.16 if self.top.hood else 0.02)

    def landmarks(self) -> dict[str, tuple[float, float]]:
        """The eight of the paper."""
        points = {
            "collar": (self.neck_width, self.neck_top),
            "hem": (self._width_at(self.bottom), self.bottom),
        }
        if self.top.sleeve > 0:
            points["elbow"] = self.shoulder + self.body.upper_arm * self.along
            points["sleeve_end"] = self.sleeve_end
        named = {f"{side}_{name}": (SIGN[side] * x, y) for name, (x, y) in points.items() for side in SIGN}
        return {name: named[name] for name in LANDMARKS if name in named}

    def joints(self) -> dict[str, tuple[float, float]]:
        """Where the wearer's joints would be; those of the arm only if it has a sleeve."""
        wide = self.half / (self.body.hip_half_width + 0.075)  # flat cloth is wider than the body in it
        points = {"shoulder": self.shoulder, "hip": (wide * self.body.hip_half_width, 0.0)}
        if self.top.sleeve > 0:
            points["elbow"] = self.shoulder + self.body.upper_arm * self.along
        if self.top.sleeve * self.arm > self.body.upper_arm:
            points["wrist"] = self.shoulder + self.arm * self.along
        return {f"{side}_{name}": (SIGN[side] * x, y) for name, (x, y) in points.items() for side in SIGN}

    def _width_at(self, y: float) -> float:
        """Half the garment's width at a height, below the armpits."""
        feminine = self.identity.shape.feminine
        waist = 0.022 * feminine * np.exp(-(((y - 0.16) / 0.09) ** 2))
        if not self.identity.dress or y > 0.13:
            return float(self.half - waist)
        drop = (0.13 - y) / (0.13 - self.bottom)
        flare = 0.03 + 1.3 * self.identity.bottom.flare
        return float(self.half - waist + drop * flare)

    # --- pieces ---

    def _trunk(self) -> np.ndarray:
        """Outline of the body of the garment, its neck not yet cut out."""
        bend = np.linspace(0, 1, 12)[:, None]
        # An armhole curves inwards; under a sleeve its seam is nearly straight.
        depth = 0.018 if self.top.sleeve > 0 else 0.05
        armhole = self.tip + bend * (self.armpit - self.tip) - [[depth, 0]] * np.sin(np.pi * bend) ** 1.2
        heights = np.linspace(self.armpit[1], self.bottom, 24)
        side = np.stack([[self._width_at(y) for y in heights], heights], 1)
        # The hem hangs a little lower in the middle.
        share = np.linspace(1, 0, 10)[1:, None]
        sag = self.bottom - 0.008 * (1 - share**2)
        hem = np.concatenate([share * self._width_at(self.bottom), sag], 1)
        right = np.concatenate([[[self.neck_width, self.neck_top]], armhole, side, hem])
        return np.concatenate([right, right[::-1] * [-1, 1]])

    def _sleeve(self) -> np.ndarray:
        length = self.top.sleeve * self.arm
        cuff = 0.135 - 0.055 * self.top.sleeve + 0.8 * self.top.ease
        end = self.tip + length * self.along
        low = end + cuff * self.across
        inner = np.array([self.armpit[0] - 0.004, self.armpit[1] + 0.012])
        seam = self.tip - [0.03, 0.0]
        bulge = self.tip + 0.25 * length * self.along - 0.006 * self.across
        return np.stack([seam, self.tip, bulge, end, low, inner, inner - [0.04, 0]])

    def _neck_field(self, sheet: Sheet, front: float, top: Top | None = None) -> np.ndarray:
        """Positive outside the neckline, metres; `front` 1, or 0 for the back's (as `garments.neckline`)."""
        top = top or self.top
        depth = 0.022 + front * (0.038 + top.neck_depth)
        across = np.abs(sheet.x) / self.neck_width
        down = np.clip(self.neck_top - sheet.y, 0, None) / depth
        outside = np.hypot(across, down) - 1
        if top.neck == "vee":
            outside = outside + front * (across + down - 1 - outside)
        return 0.06 * outside

    # --- laying it ---

    def lay(self, sheet: Sheet) -> None:
        """Lay the garment from back to front."""
        i, trunk = self.identity, sheet.outline(self._trunk())
        sheet.darken(0.16 * sheet.soft(np.roll(trunk, round(0.02 * sheet.scale), 0), 0.03))
        if self.top.hood:
            self._lay_hood(sheet)
        inside = trunk * sheet.inside(self._neck_field(sheet, 0.0))
        sheet.lay(inside, i.top_cloth, bright=0.66)
        if i.inner_top is not None:  # as it is worn: an open jacket over its shirt
            under = trunk * sheet.inside(self._neck_field(sheet, 1.0, i.inner_top))
            sheet.lay(under * sheet.inside(0.16 - np.abs(sheet.x)), i.inner_cloth, bright=0.93)
        if self.top.sleeve > 0:
            for side in SIGN:
                self._lay_sleeve(sheet, side)
        front = trunk * sheet.inside(self._neck_field(sheet, 1.0))
        if self.top.front == "open":
            below = np.clip((self.neck_base - 0.05 - sheet.y) / 0.3, 0, 1)
            front = front * sheet.inside(np.abs(sheet.x) - self.top.opening * (0.75 + 0.25 * below))
        bright = 1.0
        if i.dress and i.bottom.pleats:
            wave = np.cos(i.bottom.pleats * np.pi * sheet.x / (2 * self.half))
            bright = 1 + 0.09 * wave * np.clip((0.10 - sheet.y) / 0.1, 0, 1)
        sheet.lay(front, i.top_cloth, bright=bright)
        self._sew(sheet, front)

    def _lay_sleeve(self, sheet: Sheet, side: str) -> None:
        coverage = sheet.outline(self._sleeve() * [SIGN[side], 1])
        x = sheet.x * SIGN[side] - self.tip[0]
        y = sheet.y - self.tip[1]
        along, across = x * self.along[0] + y * self.along[1], x * self.across[0] + y * self.across[1]
        u, v = 0.5 + np.clip(across, 0, 0.173), 0.47 - along
        sheet.lay(coverage, self.identity.top_cloth, u, v)
        length = self.top.sleeve * self.arm
        if self.top.band:
            band = coverage * sheet.inside(along - length + self.top.band)
            sheet.lay(band, self.identity.top_trim, u, v, flat=True, shadow=0.1)
        self._stitch(sheet, coverage, length - along - 0.018)

    def _lay_hood(self, sheet: Sheet) -> None:
        angle = np.linspace(0, np.pi, 40)
        crown = [0.125 * np.cos(angle), self.neck_top - 0.04 + 0.19 * np.sin(angle) ** 0.75]
        sheet.lay(sheet.outline(np.stack(crown, 1)), self.identity.top_cloth)
        face = np.hypot(sheet.x / (0.88 * self.neck_width), (sheet.y - self.neck_top - 0.03) / 0.085)
        sheet.lay(sheet.inside(0.07 * (1 - face)), self.identity.top_cloth, bright=0.6, flat=True, shadow=0.1)
        self._stitch(sheet, np.ones(sheet.size, np.float32), 0.07 * (face - 1.13))

    def _sew(self, sheet: Sheet, front: np.ndarray) -> None:
        """Seams, bands, ribbing, collar, buttons."""
        i, top = self.identity, self.top
        if top.band:
            band = front * sheet.inside(self.bottom + top.band - sheet.y)
            sheet.lay(band, i.top_trim, flat=True, shadow=0.1)
        self._stitch(sheet, front, sheet.y - self.bottom - 0.02)
        if i.dress and i.bottom.waistband:
            sheet.lay(
                front * sheet.inside(0.016 - np.abs(sheet.y - 0.115)), i.bottom_trim, flat=True, shadow=0.1
            )
        if top.front in ("buttons", "zip"):
            half = 0.014 if top.front == "buttons" else 0.007
            sheet.lay(front * sheet.inside(half - np.abs(sheet.x)), i.top_trim, flat=True, shadow=0.15)
            self._close(sheet)
        if top.collar:
            self._lay_collar(sheet)
        elif not top.hood:
            ring = front * sheet.inside(0.016 - self._neck_field(sheet, 1.0))
            rib = replace(i.top_trim if top.band else i.top_cloth, folds=0.0)
            sheet.lay(ring, rib, bright=0.93, flat=True, shadow=0.12)

    def _close(self, sheet: Sheet) -> None:
        """Buttons, or the teeth of a zip."""
        top = self.neck_top - 0.075 - self.top.neck_depth
        if self.top.front == "zip":
            teeth = sheet.inside(0.0022 - np.abs(sheet.x)) * (sheet.y < top) * (sheet.y > self.bottom)
            sheet.darken(0.45 * teeth)
            return
        dark = luminance(self.identity.top_trim.colors[0]) > 0.45
        tone = Texture("solid", ((0.16,) * 3 if dark else (0.93, 0.92, 0.88),) * 3, folds=0.0)
        for y in np.arange(top, self.bottom + 0.04, -0.085):
            sheet.lay(sheet.inside(0.0065 - np.hypot(sheet.x, sheet.y - y)), tone, flat=True, shadow=0.2)

    def _lay_collar(self, sheet: Sheet) -> None:
        low = self.neck_top - 0.06 - self.top.neck_depth
        wing = np.array([
            [0.004, low + 0.004], [self.neck_width * 0.86, self.neck_top + 0.006],
            [self.neck_width * 1.22, self.neck_top - 0.018], [0.085, low + 0.008], [0.052, low - 0.022],
        ])  # fmt: skip
        for side in SIGN:
            turned = 0.35 * sheet.y + SIGN[side] * sheet.x
            sheet.lay(
                sheet.outline(wing * [SIGN[side], 1]),
                self.identity.top_cloth,
                turned,
                sheet.y,
                bright=1.04,
                shadow=0.7,
            )

    def _stitch(self, sheet: Sheet, piece: np.ndarray, distance: np.ndarray) -> None:
        """A line of stitches where `distance` is 0."""
        sheet.darken(0.16 * piece * sheet.inside(0.0014 - np.abs(distance)))
