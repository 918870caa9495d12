"""A visitor of the demo without a browser: opens the page, fires its events as a browser does, hangs up.

It speaks what Gradio's page speaks: a heartbeat for as long as the page is open, an event into the queue, its
messages until it is completed, then the events that follow it. Only the standard library, so that many
visitors weigh little.
"""

import json
import time
import uuid
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

PATIENCE = 120  # seconds without a word from the server
UPDATE = "__type__"  # of an output that changes more of a component than its value
Value = object


class RefusedError(Exception):
    """The demo's queue was full."""


class NotDoneError(Exception):
    """An event ended with a message for the visitor."""


class Page:
    """One open page of the demo.

    Args:
        address: of the demo, "http://127.0.0.1:7860".
    """

    def __init__(self, address: str) -> None:
        self.host = urlsplit(address).netloc
        self.session = uuid.uuid4().hex[:12]
        self._request("GET", "/")
        config = json.loads(self._request("GET", "/config"))
        self.api = config["api_prefix"]
        self._components = {one["id"]: one["props"] for one in config["components"]}
        self._events = {one["id"]: one for one in config["dependencies"]}
        self.values = {key: props.get("value") for key, props in self._components.items()}
        self.opened: set[str] = set()  # tabs
        self._heart = HTTPConnection(self.host, timeout=PATIENCE)
        self._heart.request("GET", f"{self.api}/heartbeat/{self.session}")
        self._beating = self._heart.getresponse()  # without it the server would think that nobody is there

    def leave(self) -> None:
        """Close the page."""
        self._beating.close()
        self._heart.close()

    def component(self, name: str) -> int:
        """Return the id of a component by its `elem_id`, or of a tab by its label."""
        for key, props in self._components.items():
            if name in (props.get("elem_id"), props.get("label")):
                return key
        raise KeyError(f"The page has no component {name!r}.")

    def has(self, name: str, event: str) -> bool:
        """Say whether the page has such an event."""
        return any([self.component(name), event] in one["targets"] for one in self._events.values())

    def choices(self, name: str) -> list[str]:
        """Return what can be chosen in a component."""
        return [value for _, value in self._components[self.component(name)]["choices"]]

    def value(self, name: str) -> Value:
        """Return what a component shows."""
        return self.values[self.component(name)]

    def put(self, name: str, value: Value) -> None:
        """Enter a value into a component, as a visitor does."""
        self.values[self.component(name)] = value

    def fire(
        self, name: str, event: str, data: Value = None, *, inputs: Mapping[int, Value] | None = None
    ) -> float:
        """Let an event of a component happen, and all that follows it.

        Args:
            name: of the component, see `component`.
            event: "click", "release" ...
            data: what the page sends along.
            inputs: number of an input of the event -> value, in place of what the page shows.

        Returns:
            Seconds until the event itself was answered.

        Raises:
            RefusedError, NotDoneError: see there.
        """
        target, seconds = self.component(name), 0.0
        wanted = [one for one in self._events.values() if [target, event] in one["targets"]]
        if not wanted:
            raise KeyError(f"The page's {name!r} has no event {event!r}.")
        for one in wanted:
            seconds = max(seconds, self._run(one, target, data, inputs or {}))
        return seconds

    def call(self, name: str, *values: Value) -> list[Value]:
        """Call what programs may call, and return what it returns."""
        one = next(one for one in self._events.values() if one["api_name"] == name)
        return self._queue(one, list(values), None, None)

    def upload(self, name: str, content: bytes) -> dict[str, Value]:
        """Upload a file; return the value of a file field that holds it.

        Raises:
            NotDoneError: the server does not take it.
        """
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{edge}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        path = json.loads(self._request("POST", f"{self.api}/upload", body, kind))[0]
        meta = {"_type": "gradio.FileData"}
        return {"path": path, "orig_name": name, "size": len(content), "meta": meta}

    def _run(self, one: Mapping, target: int | None, data: Value, inputs: Mapping[int, Value]) -> float:
        """Run one event, then those that follow it; return the seconds of the first alone."""
        start = time.perf_counter()
        given = [inputs.get(number, self.values.get(key)) for number, key in enumerate(one["inputs"])]
        answered = self._queue(one, given, target, data)
        seconds = time.perf_counter() - start
        for key, value in zip(one["outputs"], answered, strict=False):
            if not isinstance(value, dict) or UPDATE not in value:
                self.values[key] = value
            elif "value" in value:
                self.values[key] = value["value"]
        for follower in self._events.values():
            if follower["trigger_after"] == one["id"]:
                self._run(follower, None, None, {})
        return seconds

    def _queue(self, one: Mapping, values: list[Value], target: int | None, data: Value) -> list[Value]:
        """Put an event into the queue and return its outputs."""
        body = {"data": values, "fn_index": one["id"], "session_hash": self.session}
        body |= {"event_data": data, "trigger_id": target}
        kind = {"Content-Type": "application/json"}
        joined = json.loads(self._request("POST", f"{self.api}/queue/join", json.dumps(body).encode(), kind))
        return self._answer(joined["event_id"])

    def _answer(self, event: str) -> list[Value]:
        """Read the messages of an event until it is completed."""
        from gradio_client.utils import apply_diff

        connection, streamed = HTTPConnection(self.host, timeout=PATIENCE), None
        connection.request("GET", f"{self.api}/queue/data?session_hash={self.session}")
        answer = connection.getresponse()
        try:
            while line := answer.readline():
                message = json.loads(line[5:]) if line.startswith(b"data:") else {}
                if message.get("event_id") != event:
                    continue
                output = message.get("output") or {}
                if message["msg"] == "process_generating":
                    new = output["data"]
                    streamed = new if streamed is None else list(map(apply_diff, streamed, new))
                if message["msg"] == "process_completed":
                    if not message["success"]:
                        raise NotDoneError(str(output.get("error")))
                    return output["data"] if streamed is None else streamed
        finally:
            answer.close()
            connection.close()
        raise ConnectionError("The demo hung up before it had answered.")

    def _request(self, method: str, path: str, body: bytes | None = None, head: Mapping | None = None) -> str:
        """Send a request and return the text of its answer."""
        connection = HTTPConnection(self.host, timeout=PATIENCE)
        try:
            connection.request(method, path, body, dict(head or {}))
            answer: HTTPResponse = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status == 503:
            raise RefusedError(text)
        if 400 <= answer.status < 500:
            raise NotDoneError(_reason(text))
        if answer.status != 200:
            raise ConnectionError(f"{method} {path} was answered by {answer.status}.")
        return text


def _reason(text: str) -> str:
    """Return the sentence in the answer to a request that was refused."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return str(found.get("detail", text)) if isinstance(found, dict) else text
