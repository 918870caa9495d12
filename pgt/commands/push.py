"""`pgt push`: a checkpoint to the Hub."""

import argparse

from pgt.checkpoint import push as upload


def push(arguments: argparse.Namespace) -> None:
    """Upload a checkpoint to the Hub."""
    print(upload(arguments.name, arguments.to, private=arguments.private))
