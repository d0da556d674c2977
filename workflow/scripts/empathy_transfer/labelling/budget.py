"""What requests may cost, how fast they may start, and how long a server asks to wait."""

import email.utils
import math
import threading
import time

from empathy_transfer.labelling.questions import CostLimitError

MILLION = 1_000_000
OVERHEAD_BYTES = 200  # roles and marks that a server puts around messages


class Budget:
    """Money: what was spent, what the requests in flight may cost at most, and the limit for both together.

    A request reserves its upper bound before it starts: a token per byte of what is sent, and all tokens that an
    answer may have. Some servers charge for more, such as thoughts that no limit holds for: from the first answer that
    shows it, that much is reserved. So the limit holds as long as the server bills by the given prices, but for the
    first request to such a server. Safe in threads.
    """

    def __init__(self, price, limit, spent=0.0, max_tokens=0):
        """Set up a budget.

        Args:
            price: {"input", "output"}, dollars per million tokens; None for a model that costs nothing.
            limit: dollars that all requests together may cost; None without a price.
            spent: dollars already spent.
            max_tokens: tokens that an answer may have.
        """
        self.price = price or {"input": 0.0, "output": 0.0}
        self.limit = limit
        self.spent = spent
        self.most_out = max_tokens
        self.most_added = OVERHEAD_BYTES
        self.reserved = self.lost = 0.0
        self.lock = threading.Lock()

    def learn_output(self, tokens_out):
        """Reserve for an answer from now on as many tokens as one was charged for; None where that is unknown."""
        self.most_out = max(self.most_out, tokens_out or 0)

    def bound(self, question):
        """Dollars that a question may cost at most."""
        return self._dollars(question.size + self.most_added, self.most_out)

    def reserve(self, question):
        """Reserve what a question may cost, and return it.

        Raises:
            CostLimitError: that could exceed the limit.
        """
        with self.lock:
            bound = self.bound(question)
            self._check(bound)
            self.reserved += bound
            return bound

    def settle(self, reserved, cost=0.0, lost=0.0):
        """Replace what was reserved by what the question cost, or by what may be ``lost`` since it has no answer."""
        with self.lock:
            self.reserved = max(0.0, self.reserved - reserved)
            self.spent += cost + lost
            self.lost += lost

    def lose(self, reserved):
        """Count what was reserved for a request that may have been charged for, and keep as much for the next try.

        Raises:
            CostLimitError: the next try could exceed the limit.
        """
        with self.lock:
            self.spent += reserved
            self.lost += reserved
            self._check(0.0, reserved)

    def take_lost(self):
        """Dollars that requests without an answer may have cost since this was asked the last time."""
        with self.lock:
            lost, self.lost = self.lost, 0.0
            return lost

    def cost(self, question, tokens_in, tokens_out):
        """Dollars of an answer; the upper bound of what the server does not say."""
        with self.lock:
            self.learn_output(tokens_out)
            self.most_added = max(self.most_added, (tokens_in or 0) - question.size)
            given_in = question.size + self.most_added if tokens_in is None else tokens_in
            return self._dollars(given_in, self.most_out if tokens_out is None else tokens_out)

    def _check(self, more, reserved=0.0):
        """Raise CostLimitError if the limit leaves no room for so many dollars more.

        ``reserved`` is what the message says of a next request whose dollars are reserved already.
        """
        if self.limit is not None and self.spent + self.reserved + more > self.limit:
            raise CostLimitError(
                f"max_cost: {self.spent:.4f} dollars are spent, and the next request may cost {more or reserved:.4f}, "
                f"which could exceed the limit of {self.limit:g}: raise max_cost to go on from here"
            )

    def _dollars(self, tokens_in, tokens_out):
        return (tokens_in * self.price["input"] + tokens_out * self.price["output"]) / MILLION


class Pace:
    """Lets requests start at most so many times a minute, evenly; safe in threads."""

    def __init__(self, per_minute=None):
        """Set the rate; None for no limit."""
        self.gap = 60.0 / per_minute if per_minute else 0.0
        self.next_start = 0.0
        self.lock = threading.Lock()

    def wait(self):
        """Wait until this request may start."""
        with self.lock:
            now = time.monotonic()
            start = max(now, self.next_start)
            self.next_start = start + self.gap
        time.sleep(max(0.0, start - now))


def told_wait(headers):
    """Seconds that a server asks to wait before the next try, by a number or a date; None where it asks for nothing."""
    for name, units in (("retry-after-ms", 1000), ("retry-after", 1)):
        said = headers.get(name, "")
        try:
            seconds = float(said) / units
        except ValueError:
            try:
                seconds = email.utils.parsedate_to_datetime(said).timestamp() - time.time()
            except (ValueError, OverflowError):
                continue
        if math.isfinite(seconds) and seconds > 0:
            return seconds
    return None
