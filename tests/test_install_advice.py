"""What our messages tell the user to install is this repository, not what PyPI has under its name."""

from pathlib import Path

from pgt.data.extras import install
from pgt.judges import INSTALL

ROOT = Path(__file__).parents[1]


def test_no_message_advises_to_install_a_stranger():
    files = [path for folder in ("pgt", "demo") for path in (ROOT / folder).rglob("*.py")]
    assert files
    assert not [path for path in files if "install 'pgt[" in path.read_text(encoding="utf-8")]


def test_all_say_it_alike():
    assert install("metrics") == INSTALL == 'pip install -e ".[metrics]" in the folder of this repository'
