"""What the paper says its ablations show: its numbers, and its claims as comparisons of our variants.

The paper scores SSIM, local-SSIM and LPIPS. LPIPS needs weights that must be downloaded; local-SSIM, of which
it says that it shows improvements best, decides here, and SSIM where the claim is about the whole picture.
"""

from benchmarks.ablations.study import Claim

TABLE = "Table 1, Human3.6M"
_COLUMNS = ("SSIM", "local-SSIM", "LPIPS")
# Progressive (2020): row -> numbers.
_ROWS = {
    "Baseline": (0.909, 0.699, 0.230),
    "LPL": (0.944, 0.744, 0.205),
    "PT": (0.953, 0.759, 0.164),
    "PT+LPL": (0.954, 0.772, 0.145),
    "PT+LPL+LD": (0.959, 0.804, 0.135),
}
PAPER: dict[str, dict[str, dict[str, float]]] = {
    TABLE: {row: dict(zip(_COLUMNS, numbers, strict=True)) for row, numbers in _ROWS.items()}
}
_VARIANTS = {
    "Baseline": "baseline",
    "LPL": "lpl",
    "PT": "pt",
    "PT+LPL": "pt-lpl",
    "PT+LPL+LD": "pt-lpl-ld",
}
_DENSER = "subtle but evident improvement"  # caption of Fig. 4


def _of_the_table(text: str, rival: str, ours: str, column: str = "local-SSIM") -> Claim:
    score = {"SSIM": "ssim", "local-SSIM": "local_ssim"}[column]
    return Claim(TABLE, text, (rival, ours, column), score, _VARIANTS[ours], _VARIANTS[rival])


def _of_figure_4(text: str, rival: str, ours: str, score: str = "local_ssim") -> Claim:
    return Claim("Fig. 4", text, _DENSER, score, ours, rival)


CLAIMS = (
    _of_the_table("the local perceptual loss (LPL) helps", "Baseline", "LPL"),
    _of_the_table("so it does in the whole picture", "Baseline", "LPL", "SSIM"),
    _of_the_table("progressive training (PT) helps", "Baseline", "PT"),
    _of_the_table("so it does in the whole picture", "Baseline", "PT", "SSIM"),
    _of_the_table("LPL helps a progressive training too", "PT", "PT+LPL"),
    _of_the_table("PT helps a training with LPL too", "LPL", "PT+LPL"),
    _of_the_table("local discriminators (LD) help further", "PT+LPL", "PT+LPL+LD"),
    _of_the_table("all together beats the baseline", "Baseline", "PT+LPL+LD"),
    Claim(
        "Section 4.2",
        "local-SSIM shows the improvement more evidently than SSIM",
        "local-SSIM {:+.3f}, SSIM {:+.3f}".format(
            *(
                PAPER[TABLE]["PT+LPL+LD"][column] - PAPER[TABLE]["Baseline"][column]
                for column in ("local-SSIM", "SSIM")
            )
        ),
        "local_excess",
        "pt-lpl-ld",
        "baseline",
    ),
    Claim(
        "Fig. 7",
        "LD brings textures back: sharper people",
        "body and garment textures enhanced",
        "sharpness",
        "pt-lpl-ld",
        "pt-lpl",
    ),
    _of_figure_4("31 local descriptors beat 18", "pt-lpl", "descriptors-31"),
    _of_figure_4("44 beat 31", "descriptors-31", "descriptors-44"),
    _of_figure_4("44 beat none", "pt", "descriptors-44"),
    _of_figure_4("44 draw people sharper than none", "pt", "descriptors-44", "sharpness"),
)
