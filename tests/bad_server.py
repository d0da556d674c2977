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


def completion(content, finish="stop", usage=None, **message):
    """A chat completion as servers send it, with 100 tokens in and 50 out if not said otherwise."""
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150} if usage is None else usage
    choice = {"index": 0, "message": {"role": "assistant", "content": content} | message, "finish_reason": finish}
    about = {"id": "x", "object": "chat.completion", "created": 0, "model": "served-1"}
    return about | {"choices": [choice], "usage": usage}


class BadServer(ThreadingHTTPServer):
    """The server; `requests` counts requests by the number of the text, `keys` holds what it was sent as keys.

    `script` decides in place of the plan where it gives (status, body) or (status, body, headers) for the number of the
    request from 0 and that of the text; a body is bytes, or a value that becomes JSON.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, hang=1.5, always=None, secret_in_errors=False, retry_after="0.2", script=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.keys, self.lock = Counter(), set(), threading.Lock()
        self.flying = self.most_flying = 0
        self.hang, self.always, self.secret_in_errors = hang, always, secret_in_errors
        self.retry_after, self.script = retry_after, script
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
    disable_nagle_algorithm = True  # else an answer may wait for 40 ms between its head and its body

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
            order = len(server.bodies)
            server.bodies.append(body)
            server.flying += 1
            server.most_flying = max(server.most_flying, server.flying)
        try:
            if server.script and (scripted := server.script(order, number)) is not None:
                return self.reply(*scripted)
            self.answer(server.always or (FAULTS.get(number % 20) if first else None), body)
        finally:
            with server.lock:
                server.flying -= 1

    def answer(self, fault, body):
        if fault in ("429", "500", "503", "400", "401", "404"):
            key = self.headers.get("Authorization") if self.server.secret_in_errors else ""
            content = {"error": {"message": f"not now {key}", "code": "busy"}}
            return self.reply(int(fault), content, {"Retry-After": self.server.retry_after} if fault == "429" else {})
        if fault == "timeout":
            time.sleep(self.server.hang)
        if fault == "lost connection":
            return self.connection.close()
        if fault == "drip":
            return self.drip()
        if fault == "redirect":
            return self.reply(307, b"", {"Location": self.server.elsewhere})
        reasons = "reasoning" in body["response_format"]["json_schema"]["schema"]["properties"]
        content = json.dumps(({"reasoning": "because"} if reasons else {}) | GOOD)
        message = {"content": content}
        if fault == "half an answer":
            message["content"] = content[: len(content) // 2]
        elif fault == "out of range":
            message["content"] = json.dumps({**GOOD, "warm": 9})
        elif fault == "item missing":
            message["content"] = json.dumps(dict.fromkeys(ITEMS[:5], 4))
        elif fault == "refusal":
            message |= {"content": None, "refusal": "I would rather not."}
        found = completion(**message)
        if fault == "no usage":
            del found["usage"]
        elif fault == "no choices":
            found["choices"] = []
        elif fault == "error in a good status":
            found = {"error": {"message": "overloaded"}}
        text = json.dumps(found)
        return self.reply(200, (text[: len(text) // 2] if fault == "half a body" else text).encode())

    def drip(self):
        """A byte at a time, each sooner than a client loses patience."""
        self.send_response(200)
        self.send_header("Content-Length", "300")
        self.end_headers()
        try:
            for _ in range(300):
                self.wfile.write(b" ")
                time.sleep(0.1)
        except OSError:
            self.close_connection = True

    def reply(self, status, body, headers=None):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True
