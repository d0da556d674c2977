"""A chat server on this machine that misbehaves on purpose, by a plan that depends on the text only.

The number at the end of a text chooses what happens first; later requests about the same text are answered well, except
for those that stay broken for good. All requests are counted.
"""

import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ITEMS = ["sympathetic", "moved", "compassionate", "tender", "warm", "soft_hearted"]
GOOD = dict.fromkeys(ITEMS, 4.5)
# What the first request about a text gets, by its number modulo 20; any other number is answered well at once.
FAULTS = {
    0: "429",
    1: "500",
    2: "timeout",
    3: "half a body",
    4: "half an answer",
    5: "out of range",
    6: "item missing",
    7: "no usage",
    8: "lost connection",
    9: "no choices",
    10: "error in a good status",
    11: "refusal",
    12: "503",
}
INVALID = ("half an answer", "out of range", "item missing")


class BadServer(ThreadingHTTPServer):
    """The server; `requests` counts requests by the number of the text, `keys` holds what it was sent as keys."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, hang=1.5, always=None, secret_in_errors=False, retry_after="0.2"):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.keys, self.lock = Counter(), set(), threading.Lock()
        self.flying = self.most_flying = 0
        self.hang, self.always, self.secret_in_errors = hang, always, secret_in_errors
        self.retry_after = retry_after
        self.bodies = []

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """Clients that gave up waiting are expected."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def do_POST(self):
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = int(body["messages"][1]["content"].split("text number ")[1].split()[0])
        with server.lock:
            server.requests[number] += 1
            first = server.requests[number] == 1
            server.keys.add(self.headers.get("Authorization"))
            server.bodies.append(body)
            server.flying += 1
            server.most_flying = max(server.most_flying, server.flying)
        try:
            self.answer(server.always or (FAULTS.get(number % 20) if first else None))
        finally:
            with server.lock:
                server.flying -= 1

    def answer(self, fault):
        if fault in ("429", "500", "503", "400", "401", "404"):
            key = self.headers.get("Authorization") if self.server.secret_in_errors else ""
            content = json.dumps({"error": {"message": f"not now {key}", "code": "busy"}})
            return self.reply(content, int(fault), {"Retry-After": self.server.retry_after} if fault == "429" else {})
        if fault == "timeout":
            time.sleep(self.server.hang)
        if fault == "lost connection":
            return self.connection.close()
        if fault == "redirect":
            return self.reply("", 307, {"Location": self.server.elsewhere})
        content, usage = json.dumps(GOOD), {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
        message = {"role": "assistant", "content": content}
        if fault == "half an answer":
            message["content"] = content[: len(content) // 2]
        elif fault == "out of range":
            message["content"] = json.dumps({**GOOD, "warm": 9})
        elif fault == "item missing":
            message["content"] = json.dumps(dict.fromkeys(ITEMS[:5], 4))
        elif fault == "refusal":
            message |= {"content": None, "refusal": "I would rather not."}
        completion = {
            "id": "x",
            "object": "chat.completion",
            "created": 0,
            "model": "served-1",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": usage,
        }
        if fault == "no usage":
            del completion["usage"]
        elif fault == "no choices":
            completion["choices"] = []
        elif fault == "error in a good status":
            completion = {"error": {"message": "overloaded"}}
        text = json.dumps(completion)
        return self.reply(text[: len(text) // 2] if fault == "half a body" else text)

    def reply(self, text, status=200, headers=None):
        try:
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())
        except OSError:
            self.close_connection = True
