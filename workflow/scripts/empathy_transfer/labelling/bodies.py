"""How much of a server's answer is read, and for how long: a client's own time limit is one between two pieces."""

import time

import httpx2

from empathy_transfer.labelling.replies import BrokenBody

MOST_BYTES = 4 * 1024 * 1024


class SlowBody(TimeoutError):
    """An answer did not end in time."""


def limited(seconds):
    """A hook for responses whose bodies end within so many seconds and `MOST_BYTES`, and come as they are.

    The hook raises BrokenBody for a compressed body, which may be of any size. Reading raises BrokenBody, or SlowBody.
    """

    def limit(response):
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
            raise BrokenBody("the server's answer is compressed, which was not asked for")
        response.stream = _Limited(response.stream, time.monotonic() + seconds)

    return limit


class _Limited(httpx2.SyncByteStream):
    """A body that ends in time, or raises."""

    def __init__(self, stream, end):
        self.stream, self.end = stream, end

    def __iter__(self):
        size = 0
        for piece in self.stream:
            size += len(piece)
            if size > MOST_BYTES:
                raise BrokenBody(f"the server's answer is longer than {MOST_BYTES:,} bytes")
            if time.monotonic() > self.end:
                raise SlowBody
            yield piece

    def close(self):
        self.stream.close()
