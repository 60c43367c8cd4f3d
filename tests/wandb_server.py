"""A stand-in for W&B's server on this machine: it takes what `wandb sync` sends, and keeps it."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class WandbServer:
    """What was sent, by the id of a run."""

    url: str = ""
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)  # the variables of its creation
    history: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    # Of every kind, those included that reach it as a proxy; by their first lines.
    requests: list[str] = field(default_factory=list)

    def answer_query(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Answer W&B's queries that a sync makes; an empty answer means that there is nothing."""
        if "upsertBucket(" in query:
            self.runs.setdefault(variables["name"], {}).update(
                {name: value for name, value in variables.items() if value is not None}
            )
            project = {
                "id": "UHJv",
                "name": variables["project"],
                "entity": {"id": "RW50", "name": "me"},
            }
            bucket = {"id": "QnVj", "name": variables["name"], "config": "{}", "project": project}
            return {"upsertBucket": {"inserted": True, "bucket": bucket}}
        if "createArtifact(" in query:
            sequence = {"id": "U2Vx", "latestArtifact": None}
            artifact = {"id": "QXJ0", "state": "COMMITTED", "artifactSequence": sequence}
            return {"createArtifact": {"artifact": artifact}}
        if "createRunFiles(" in query:
            files = [{"name": n, "uploadUrl": f"{self.url}/{n}"} for n in variables["files"]]
            return {"createRunFiles": {"runID": "QnVj", "uploadHeaders": [], "files": files}}
        return {}

    def take_lines(self, run_id: str, files: dict[str, Any]) -> None:
        """Take lines of a run's history; those from an offset on replace what was there."""
        lines = files.get("wandb-history.jsonl")
        if lines:
            kept = self.history.get(run_id, [])[: lines["offset"]]
            self.history[run_id] = kept + [json.loads(line) for line in lines["content"]]


@contextmanager
def wandb_server() -> Iterator[WandbServer]:
    """Run the stand-in for as long as the context lasts."""
    state = WandbServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def parse_request(self) -> bool:
            is_whole = super().parse_request()
            state.requests.append(self.requestline)
            return is_whole

        def do_POST(self) -> None:
            data = json.loads(self.read_body())
            if self.path == "/graphql":
                answer = state.answer_query(data["query"], data.get("variables") or {})
                self.reply({"data": answer})
            else:
                state.take_lines(self.path.split("/")[-2], data.get("files") or {})
                self.reply({"limits": {}})

        def do_PUT(self) -> None:
            self.read_body()
            state.files.add(self.path.lstrip("/"))
            self.reply({})

        def read_body(self) -> bytes:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            return gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body

        def reply(self, answer: dict[str, Any]) -> None:
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
