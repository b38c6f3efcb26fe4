"""An OpenAI-compatible model on loopback that searches first, then stops in the middle of its answer until it may go on."""

import json
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FIRST_HALF = "Water moves through a semipermeable membrane [1]. "
SECOND_HALF = "That is osmosis, and here the answer ends."
PATIENCE_SECONDS = 240


@dataclass
class HaltingModel:
    """Where it listens, and whether it may finish its answers."""

    base_url: str
    may_finish: threading.Event = field(default_factory=threading.Event)

    def deltas(self, last_role: str) -> Iterator[dict[str, Any]]:
        """What it says to a conversation that ends with a message of this role."""
        if last_role != "tool":
            call = {"name": "search_materials", "arguments": json.dumps({"query": "osmosis"})}
            yield {"tool_calls": [{"index": 0, "id": "call-1", "type": "function", "function": call}]}
            return
        yield {"content": FIRST_HALF}
        self.may_finish.wait(PATIENCE_SECONDS)
        yield {"content": SECOND_HALF}


def chunk(delta: dict[str, Any], finish: str | None) -> bytes:
    body = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "halting",
        "choices": [{"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}],
    }
    return f"data: {json.dumps(body)}\n\n".encode()


@contextmanager
def halting_model() -> Generator[HaltingModel]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            role = asked["messages"][-1]["role"]
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            try:
                for delta in model.deltas(role):
                    self.wfile.write(chunk(delta, None))
                self.wfile.write(chunk({}, "stop" if role == "tool" else "tool_calls"))
                self.wfile.write(b"data: [DONE]\n\n")
            except ConnectionError:
                """The asker was stopped or killed, as the tests mean it to be."""

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    model = HaltingModel(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        model.may_finish.set()
        server.shutdown()
        server.server_close()
        thread.join()
