"""Deformable skips: features carried part by part from the source pose to the target pose.

Siarohin et al., Deformable GANs for Pose-Based Human Image Generation, CVPR 2018, as used by SPT (Song et
al., TPAMI 2021, section 3.3 and Fig. 4). Each rigid part has an affine map. A pixel of the target takes the
features of the places that the parts over it come from; where parts overlap, their maximum or mean.

The released layers warp ten whole copies of the features and mask nearly all of it away. Here a pixel is
computed once per part over it, and one under no part is copied: all of it is a weighted sum of a few rows of
features per pixel. The gradient is such a sum too, with the same list read from the other end.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from pgt.geometry import fill_spans, hull_spans, identity_affine, invert_affine, resize_points

Reduction = Literal["max", "mean"]
Background = Literal["source", "zero", "torso"]


@dataclass(frozen=True, eq=False)
class PartWarps:
    """Where the pixels of a batch of target poses come from: made once per batch, used at every level.

    What a level needs is worked out when it is first asked for, and kept. Joints are given, not learnt, so
    nothing here has a gradient.

    A part covers the pixels whose centre lies within its corners, at every level alike; one that is not valid
    covers none. What comes from outside the source picture is 0.

    Args:
        matrices: (B, P, 2, 3) from a source pixel to a target pixel, (x, y); see `body_parts.part_affines`.
        corners: (B, P, 4, 2) of the target's parts, (x, y); see `body_parts.part_corners`.
        valid: (B, P) bool; True where a part has both.
        image_size: (H, W) of the pictures whose pixels `matrices` and `corners` speak of.
        reduction: "max" (the papers') or "mean" over the parts that cover a pixel.
        background: what a pixel under no part gets: the source's features in the same place ("source": a
            camera that stands still), 0 ("zero"), or what part 0 would bring ("torso", as in the released
            layers: part 0 covers the whole picture, and so competes everywhere; where it is not valid, it
            moves nothing).
        count_absent: parts that do not cover a pixel take part in its maximum or mean with 0, as in the
            released layers: then no maximum is negative, and a mean is over all P parts. Off by default,
            since features before their activation lose their sign that way.

    Raises:
        ValueError: shapes that do not belong together, an unknown option, or `count_absent` with the
            background "source", which the zeros of absent parts would hide.
    """

    matrices: Tensor
    corners: Tensor
    valid: Tensor
    image_size: tuple[int, int]
    reduction: Reduction = "max"
    background: Background = "source"
    count_absent: bool = False
    _levels: dict[tuple[int, int], "_Level"] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        wanted = (*self.valid.shape, 2, 3), (*self.valid.shape, 4, 2)
        found = tuple(self.matrices.shape), tuple(self.corners.shape)
        if found != wanted:
            raise ValueError(
                f"Parts with valid {tuple(self.valid.shape)} need matrices {wanted[0]} and corners "
                f"{wanted[1]}, not {found[0]} and {found[1]}."
            )
        if self.reduction not in ("max", "mean"):
            raise ValueError(f'A reduction is "max" or "mean", not {self.reduction!r}.')
        if self.background not in ("source", "zero", "torso"):
            raise ValueError(f'A background is "source", "zero" or "torso", not {self.background!r}.')
        if self.count_absent and self.background == "source":
            raise ValueError('Absent parts that count as 0 would hide a background "source".')

    def level(self, size: tuple[int, int]) -> "_Level":
        """Return the lists for features of `size` (h, w)."""
        if size not in self._levels:
            with torch.no_grad():
                self._levels[size] = _make_level(self, size)
        return self._levels[size]


def deformable_skip(features: Tensor, warps: PartWarps) -> Tensor:
    """Carry features of the source to the target pose (Siarohin et al. 2018; Song et al. 2021, Fig. 4).

    Args:
        features: (B, C, h, w) of a level, any floating type. The level spans the whole picture: its pixel
            (0, 0) is centred where the H/h by W/w pixels that it stands for are (`geometry.resize_points`).
        warps: of the same batch.

    Returns:
        (B, C, h, w), channels last in memory. Once differentiable, with respect to `features` alone; of
        parts that tie for a maximum the first gets the gradient.

    Raises:
        ValueError: features of another batch size than the warps.
    """
    batch, channels, height, width = features.shape
    if batch != len(warps.valid):
        raise ValueError(f"Features of {batch} pictures met part warps of {len(warps.valid)}.")
    level = warps.level((height, width))
    rows = features.permute(0, 2, 3, 1).reshape(-1, channels).contiguous()
    warped = _Warp.apply(rows, level)
    return warped.view(batch, height, width, channels).permute(0, 3, 1, 2)


class _Sums(NamedTuple):
    """A sparse matrix ready to be applied to rows: row i of the result is a weighted sum of some rows."""

    column: Tensor  # (E,) int32: which rows; those of result i are start[i]:start[i + 1]
    start: Tensor  # (R + 1,) int32
    weight: Tensor  # (E,) float

    def __call__(self, rows: Tensor) -> Tensor:
        """(N, C) -> (R, C)."""
        weight = self.weight.to(rows.dtype)
        return F.embedding_bag(
            self.column, rows, self.start, mode="sum", per_sample_weights=weight, include_last_offset=True
        )


class _Entries(NamedTuple):
    """A sparse matrix as a list in any order; three tensors of one length."""

    row: Tensor  # int64
    column: Tensor  # int64
    weight: Tensor  # float

    @classmethod
    def join(cls, *lists: "_Entries") -> "_Entries":
        """Put lists behind each other."""
        return cls(*(torch.cat(values) for values in zip(*lists, strict=True)))

    def sums(self, num_rows: int) -> _Sums:
        """Sort by row."""
        row, order = self.row.sort(stable=True)
        start = F.pad(torch.bincount(row, minlength=num_rows).cumsum(0), (1, 0))
        return _Sums(self.column[order].int(), start.int(), self.weight[order])


@dataclass(frozen=True, eq=False)
class _Level:
    """The lists for one level. Its pixels are numbered row by row, picture after picture, from 0 to N - 1.

    A maximum is taken in rounds: `first` holds, for every pixel, what the first part over it brings; `later`
    what second, third, ... parts bring, one block per round. The pixels under several parts are listed in
    `shared`, those under most parts first, so that a block of n rows belongs to the first n of them. A mean
    is one weighted sum and needs no rounds.
    """

    first: _Entries  # N rows
    later: _Entries  # sum(blocks) rows
    blocks: tuple[int, ...]  # how many pixels have a second part, a third, ...
    shared: Tensor  # (blocks[0],) int64
    num_pixels: int
    # If absent parts count, no maximum is below 0 but in these pixels, which all parts cover: (F,) int64.
    unclamped: Tensor | None = None

    @cached_property
    def forward(self) -> tuple[_Sums, _Sums]:
        """From features to `first` and to `later`."""
        return self.first.sums(self.num_pixels), self.later.sums(sum(self.blocks))

    @cached_property
    def backward(self) -> _Sums:
        """From gradients of `first` and, behind them, of `later`, to gradients of features."""
        later = self.later._replace(row=self.later.row + self.num_pixels)
        both = _Entries.join(self.first, later)
        return both._replace(row=both.column, column=both.row).sums(self.num_pixels)


def _make_level(warps: PartWarps, size: tuple[int, int]) -> _Level:
    covered = _coverage(warps, size)  # (N, P)
    count = covered.sum(dim=1)
    pixel, part = covered.nonzero().unbind(dim=1)  # sorted by pixel
    column, weight = _taps(warps, size, pixel, part)  # (S, 4)

    own = torch.arange(len(count), device=count.device)
    if warps.background == "source":
        own = own[count == 0]
        stay = _Entries(own, own, weight.new_ones(len(own)))
    else:
        stay = _Entries(own[:0], own[:0], weight[:0, 0])

    def entries(row: Tensor, chosen: Tensor | slice = slice(None)) -> _Entries:
        return _Entries(row.repeat_interleave(4), column[chosen].flatten(), weight[chosen].flatten())

    if warps.reduction == "mean":
        weight = weight / (warps.valid.shape[1] if warps.count_absent else count[pixel, None])
        return _Level(
            _Entries.join(stay, entries(pixel)), entries(pixel[:0], slice(0)), (), own[:0], len(count)
        )

    # `turn` numbers the parts over a pixel; the pixels with several are put in order, most parts first.
    turn = torch.arange(len(pixel), device=pixel.device) - (count.cumsum(dim=0) - count)[pixel]
    shared = (count > 1).nonzero().squeeze(1)
    shared = shared[count[shared].argsort(descending=True, stable=True)]
    place = torch.zeros_like(count).scatter_(0, shared, torch.arange(len(shared), device=count.device))
    blocks = tuple(torch.bincount(turn)[1:].tolist())
    one, later = (turn == 0).nonzero().squeeze(1), turn.nonzero().squeeze(1)
    later = later[(turn[later] * len(shared) + place[pixel[later]]).argsort()]
    unclamped = (count == warps.valid.shape[1]).nonzero().squeeze(1) if warps.count_absent else None
    return _Level(
        first=_Entries.join(stay, entries(pixel[one], one)),
        later=entries(torch.arange(len(later), device=count.device), later),
        blocks=blocks,
        shared=shared,
        num_pixels=len(count),
        unclamped=unclamped,
    )


def _coverage(warps: PartWarps, size: tuple[int, int]) -> Tensor:
    """Say which parts cover which pixels of a level, (B * h * w, P) bool."""
    batch, parts = warps.valid.shape
    corners = resize_points(warps.corners.detach().float(), warps.image_size, size).flatten(0, 1)
    spans = hull_spans(corners, warps.valid.reshape(-1, 1).expand(-1, 4), size[0])
    masks = corners.new_zeros(batch * parts, *size, dtype=torch.uint8)
    fill_spans(masks, torch.arange(batch * parts, device=corners.device), spans)
    if warps.background == "torso":
        masks[::parts] = 1
    return masks.view(batch, parts, -1).transpose(1, 2).flatten(0, 1) > 0


def _taps(warps: PartWarps, size: tuple[int, int], pixel: Tensor, part: Tensor) -> tuple[Tensor, Tensor]:
    """Find the four pixels around the place a part takes a pixel from: numbers and weights, (S, 4) each."""
    height, width = size
    across, down = warps.image_size[1] / width, warps.image_size[0] / height
    inverse = invert_affine(warps.matrices.detach())
    inverse = torch.where(warps.valid[..., None, None], inverse, identity_affine(inverse))
    picture, within = pixel // (height * width), pixel % (height * width)
    a, b, c, d, e, f = inverse.flatten(2)[picture, part].unbind(dim=1)
    # Image pixels of the target, of the source, level pixels of the source.
    x, y = (within % width + 0.5) * across - 0.5, (within // width + 0.5) * down - 0.5
    x, y = (a * x + b * y + c + 0.5) / across - 0.5, (d * x + e * y + f + 0.5) / down - 0.5
    # One pixel outside there is nothing; further out need not be told apart.
    x, y = x.clamp(-1, width), y.clamp(-1, height)
    left, top = x.floor(), y.floor()

    columns, weights = [], []
    for row, share_y in ((top, top + 1 - y), (top + 1, y - top)):
        for col, share_x in ((left, left + 1 - x), (left + 1, x - left)):
            inside = (col >= 0) & (col < width) & (row >= 0) & (row < height)
            place = row.clamp(0, height - 1) * width + col.clamp(0, width - 1)
            columns.append(picture * (height * width) + place.long())
            weights.append(share_x * share_y * inside)
    return torch.stack(columns, dim=1), torch.stack(weights, dim=1)


class _Warp(torch.autograd.Function):
    """The maximum, or mean, over parts of rows of features: (N, C) -> (N, C)."""

    @staticmethod
    def forward(ctx: FunctionCtx, rows: Tensor, level: _Level) -> Tensor:
        first, later = level.forward
        result = first(rows)
        winner = None
        if level.blocks:
            best = result.index_select(0, level.shared)
            winner = torch.zeros_like(best, dtype=torch.uint8)
            for turn, block in enumerate(later(rows).split(level.blocks), start=1):
                n = len(block)
                winner[:n].masked_fill_(block > best[:n], turn)
                torch.maximum(best[:n], block, out=best[:n])
            result.index_copy_(0, level.shared, best)
        if level.unclamped is not None:
            kept = result.index_select(0, level.unclamped)
            result.clamp_(min=0).index_copy_(0, level.unclamped, kept)
            ctx.save_for_backward(result)
        ctx.level, ctx.winner = level, winner
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None]:
        level, winner = ctx.level, ctx.winner
        if level.unclamped is not None:
            (result,) = ctx.saved_tensors
            grad = grad * (result > 0).index_fill_(0, level.unclamped, True)
        if winner is not None:
            shared = grad.index_select(0, level.shared)
            later = [shared[:n] * (winner[:n] == turn) for turn, n in enumerate(level.blocks, start=1)]
            grad = torch.cat([grad, *later])
            grad.index_copy_(0, level.shared, shared * (winner == 0))
        return level.backward(grad.contiguous()), None
