"""What the commands of `pgt` do: one module each, which takes the parsed arguments of `pgt.__main__`.

What only one command needs is imported by that command: `pgt render` must not wait for what `pgt train` uses.
"""
