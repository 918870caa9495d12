"""Put the demo on a Hugging Face Space: assemble a folder of what it needs, and upload that.

python demo/deploy.py --folder space                 assembles only
python demo/deploy.py --to organisation/name         assembles and uploads (log in first: hf auth login)
"""

import argparse
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CARD_AND_REQUIREMENTS = ("README.md", "requirements.txt")  # Spaces want these two at the top
SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", "*.pyi", ".*", "deploy.py", *CARD_AND_REQUIREMENTS)


def assemble(folder: Path) -> list[str]:
    """Fill an empty or new folder with the Space's files.

    Returns:
        Their paths inside the folder, sorted.

    Raises:
        ValueError: the folder holds something already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty; name a new folder.")
    shutil.copytree(ROOT / "demo", folder / "demo", ignore=SKIPPED, dirs_exist_ok=True)
    # The weights' own cards are read by people, so here README.md stays.
    own = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    shutil.copytree(ROOT / "pgt", folder / "pgt", ignore=own)
    for name in CARD_AND_REQUIREMENTS:
        shutil.copy(ROOT / "demo" / name, folder / name)
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE")
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def upload(folder: Path, space: str, *, private: bool = False) -> str:
    """Upload an assembled folder; the Space is made when missing, and its outdated files are removed.

    Returns:
        The address of the commit.

    Raises:
        ValueError: one sentence, if the name is no "organisation/name" or the Hub refuses.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    if space.count("/") != 1:
        raise ValueError(f"The Space must be 'organisation/name', but got {space!r}.")
    api = HfApi()
    try:
        api.create_repo(space, repo_type="space", space_sdk="gradio", private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=space,
            repo_type="space",
            folder_path=folder,
            commit_message="Upload the demo",
            delete_patterns=["demo/*", "pgt/*"],
        )
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"The Hub did not take the Space {space}: {reason}") from error
    return str(commit.commit_url)


def main() -> None:
    """Parse the flags; assemble, and upload if asked to."""
    parser = argparse.ArgumentParser(description="Assemble the demo as a Hugging Face Space, and upload it.")
    parser.add_argument("--folder", type=Path, help="where to assemble; a temporary folder by default")
    parser.add_argument("--to", help="organisation/name of the Space")
    parser.add_argument("--private", action="store_true", help="a new Space is visible to its owners only")
    arguments = parser.parse_args()
    if arguments.folder is None and arguments.to is None:
        parser.error("say where: --folder, --to or both")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary) / "space"
        try:
            files = assemble(folder)
            print(f"{len(files)} files in {folder}")
            if arguments.to:
                print(upload(folder, arguments.to, private=arguments.private))
        except ValueError as error:
            parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
