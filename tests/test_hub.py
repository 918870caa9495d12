"""The Hub, end to end against a stub; the client reads HF_ENDPOINT at import, so each visit is a child."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pgt.checkpoint import CARD, CONFIG, FACTS, WEIGHTS, save
from tests.hub_stub import HubStub, commit_of, running_hub

ROOT = Path(__file__).parents[1]
REPOSITORY = "someone/tiny-pg2"
VISIT = """
import sys
from pgt.checkpoint import CheckpointError, load
for repository, revision in zip(sys.argv[1::2], sys.argv[2::2]):
    try:
        print(load(repository, revision=revision or None).checkpoint_source)
    except CheckpointError as error:
        print("refused:", error)
"""


@pytest.fixture
def hub(tiny_checkpoint):
    with running_hub() as stub:
        stub.repositories[REPOSITORY] = {path.name: path.read_bytes() for path in tiny_checkpoint.iterdir()}
        yield stub


def child(arguments, hub: HubStub, cache: Path, **environment: str) -> subprocess.CompletedProcess:
    environment = {
        **os.environ,
        **hub.environment(cache),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        **environment,
    }
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def visit(hub: HubStub, cache: Path, *wanted: tuple[str, str], **environment: str) -> list[str]:
    """Load checkpoints in a fresh process; return its lines and forget the requests made before."""
    hub.requests.clear()
    words = [word for pair in wanted for word in pair]
    done = child(["-c", VISIT, *words], hub, cache, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def asked(hub: HubStub) -> list[tuple[str, str]]:
    """List the requests about repositories; the client also keeps a daily list of other programs."""
    return [one for one in hub.requests if one[1] != "/api/agent-harnesses"]


def downloads(hub: HubStub) -> list[str]:
    return [path for method, path in hub.requests if method == "GET" and "/resolve/" in path]


@pytest.mark.slow
def test_download_then_cache_then_offline(hub, tmp_path):
    commit = commit_of(hub.repositories[REPOSITORY])
    expected = [f"the Hub ({REPOSITORY} at {commit[:12]})"]
    assert visit(hub, tmp_path / "cache", (REPOSITORY, "")) == expected
    assert len(downloads(hub)) == 2
    assert visit(hub, tmp_path / "cache", (REPOSITORY, "")) == expected
    assert downloads(hub) == []  # asked whether anything changed, fetched nothing
    assert visit(hub, tmp_path / "cache", (REPOSITORY, ""), HF_HUB_OFFLINE="1") == expected
    assert asked(hub) == []
    assert visit(hub, tmp_path / "cache", (REPOSITORY, commit)) == expected
    assert asked(hub) == []  # a full commit cannot change, so nobody is asked


def test_a_pinned_commit_is_downloaded_by_that_commit(hub, tmp_path):
    commit = commit_of(hub.repositories[REPOSITORY])
    assert visit(hub, tmp_path / "cache", (REPOSITORY, commit)) == [
        f"the Hub ({REPOSITORY} at {commit[:12]})"
    ]
    assert all(f"/resolve/{commit}/" in path for path in downloads(hub))


def test_what_is_missing_is_named(hub, tmp_path):
    hub.repositories["someone/pickle"] = {CONFIG: b"{}", "pytorch_model.bin": b"\x80"}
    lines = visit(
        hub,
        tmp_path / "cache",
        ("someone/nothing", ""),
        (REPOSITORY, "v9"),
        ("someone/pickle", ""),
        ("no-slash", ""),
    )
    assert lines[0] == "refused: There is no Hub repository someone/nothing, or you may not see it."
    assert lines[1] == f"refused: The Hub repository {REPOSITORY} has no revision v9."
    assert "lacks config.json or model.safetensors; nothing else is loaded" in lines[2]
    assert "no Hub namespace is set" in lines[3]
    assert not any("pytorch_model" in path for path in downloads(hub))


def test_a_corrupted_file_is_refused(hub, tmp_path):
    weights = hub.repositories[REPOSITORY][WEIGHTS]
    hub.repositories[REPOSITORY][WEIGHTS] = b"\xff" * 64 + weights[64:]
    (line,) = visit(hub, tmp_path / "cache", (REPOSITORY, ""))
    assert line.startswith("refused: The checkpoint ")
    assert "damaged" in line


@pytest.mark.slow
def test_a_download_that_breaks_off_is_refused_and_succeeds_the_next_time(hub, tmp_path):
    hub.truncate = True
    (line,) = visit(hub, tmp_path / "cache", (REPOSITORY, ""))
    assert line.startswith(f"refused: The Hub could not serve {REPOSITORY}")
    weights = hub.repositories[REPOSITORY][WEIGHTS]
    assert "\n" not in line
    sizes = [path.stat().st_size for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert len(weights) not in sizes
    assert not list((tmp_path / "cache").rglob(WEIGHTS))  # nothing that could be loaded
    hub.truncate = False
    (line,) = visit(hub, tmp_path / "cache", (REPOSITORY, ""))
    assert line.startswith("the Hub (")
    (file,) = (tmp_path / "cache").rglob(WEIGHTS)
    assert file.read_bytes() == weights


@pytest.mark.slow
def test_a_download_goes_on_where_the_connection_dropped(hub, tmp_path):
    """The client keeps whole chunks of 10 MiB; here small ones, since the file is small."""
    hub.drops = 1
    small_chunks = "from huggingface_hub import constants\nconstants.DOWNLOAD_CHUNK_SIZE = 1024\n"
    done = child(["-c", small_chunks + VISIT, REPOSITORY, ""], hub, tmp_path / "cache")
    assert done.stdout.startswith("the Hub (")
    weights = hub.repositories[REPOSITORY][WEIGHTS]
    assert hub.ranges == [f"bytes={len(weights) // 2 // 1024 * 1024}-"]
    (file,) = (tmp_path / "cache").rglob(WEIGHTS)
    assert file.read_bytes() == weights


def test_offline_without_a_cache_is_one_sentence(hub, tmp_path):
    (line,) = visit(hub, tmp_path / "cache", (REPOSITORY, ""), HF_HUB_OFFLINE="1")
    assert line == f"refused: {REPOSITORY} is not cached and the Hub cannot be reached."


@pytest.mark.slow  # the client tries for half a minute
def test_an_unreachable_hub_is_one_sentence(hub, tmp_path):
    (line,) = visit(hub, tmp_path / "cache", (REPOSITORY, ""), HF_ENDPOINT="http://127.0.0.1:1")
    assert line == f"refused: {REPOSITORY} is not cached and the Hub cannot be reached."


@pytest.mark.slow
def test_push_uploads_weights_config_and_card_that_load_again(hub, tiny_generator, tmp_path):
    folder = save(tiny_generator, tmp_path / "mine", {"limits": "Draws only squares."})
    (folder / "notes.txt").write_text("stays at home")
    done = child(["-m", "pgt", "push", folder, "--to", "someone/pushed"], hub, tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    files = hub.repositories["someone/pushed"]
    assert sorted(files) == sorted([CARD, CONFIG, FACTS, WEIGHTS])
    assert files[WEIGHTS] == (folder / WEIGHTS).read_bytes()
    assert b"Draws only squares." in files[CARD]
    assert commit_of(files) in done.stdout
    assert visit(hub, tmp_path / "other", ("someone/pushed", ""))[0].startswith("the Hub (someone/pushed at ")


@pytest.mark.slow
def test_a_push_without_permission_or_with_damaged_weights_is_one_sentence(hub, tiny_checkpoint, tmp_path):
    hub.refuse_writes = True
    done = child(["-m", "pgt", "push", tiny_checkpoint, "--to", "someone/new"], hub, tmp_path / "cache")
    assert done.returncode == 2
    assert "run `hf auth login`" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    hub.refuse_writes = False
    hub.requests.clear()
    (tiny_checkpoint / WEIGHTS).write_bytes(b"")
    done = child(["-m", "pgt", "push", tiny_checkpoint, "--to", "someone/new"], hub, tmp_path / "cache")
    assert done.returncode == 2
    assert "damaged" in done.stderr
    assert asked(hub) == []
