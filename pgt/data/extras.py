"""What to say where an optional package is missing."""


def install(extra: str) -> str:
    """Return the command that installs an extra; what PyPI has under our name is another project."""
    return f'pip install -e ".[{extra}]" in the folder of this repository'
