"""Runners that watch what a recipe does."""

from pgt.training.runner import PlainRunner


class Losses(PlainRunner):
    """A runner that writes down the losses it is given."""

    def __init__(self) -> None:
        super().__init__("cpu")
        self.seen: list[float] = []

    def backward(self, loss):
        self.seen.append(loss.item())
        super().backward(loss)
