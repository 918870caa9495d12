"""The demo in a process of its own: its address, its memory, what it leaves behind."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).parents[2]
START = 180  # seconds that the demo may take to open its page


class Demo:
    """A running demo, to be used by `with`; it is stopped, and its files are removed, at the end.

    Raises:
        RuntimeError: the page does not open.
    """

    def __enter__(self) -> "Demo":
        self._folder = tempfile.TemporaryDirectory(prefix="pgt-load-")
        self._uploads = Path(self._folder.name) / "temporary"
        self._uploads.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self._log = Path(self._folder.name) / "log.txt"
        places = {"TMPDIR": str(self._uploads), "GRADIO_TEMP_DIR": str(self._uploads / "gradio")}
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "demo/app.py", "--port", str(port)],
                cwd=ROOT,
                env={**os.environ, **places},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait(port)
        except RuntimeError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _wait(self, port: int) -> None:
        end = time.monotonic() + START
        while time.monotonic() < end and self._process.poll() is None:
            connection = HTTPConnection("127.0.0.1", port, timeout=START)
            try:
                connection.request("GET", "/config")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.2)
            finally:
                connection.close()
        raise RuntimeError(f"The demo did not open its page: {self._log.read_text()[-500:]}")

    def memory(self) -> float:
        """Return what the server holds in memory, MB (its resident set, and its children's)."""
        import psutil  # comes with accelerate

        process = psutil.Process(self._process.pid)
        total = process.memory_info().rss
        for child in process.children(recursive=True):
            try:
                total += child.memory_info().rss
            except psutil.NoSuchProcess:  # it has ended meanwhile
                continue
        return total / 1e6

    def left_behind(self) -> tuple[int, float]:
        """Return how many files are in its temporary folder, and their MB."""
        sizes = [path.stat().st_size for path in self._uploads.rglob("*") if path.is_file()]
        return len(sizes), sum(sizes) / 1e6

    def complaints(self) -> int:
        """Return how many tracebacks it has logged."""
        return self._log.read_text(errors="replace").count("Traceback")
