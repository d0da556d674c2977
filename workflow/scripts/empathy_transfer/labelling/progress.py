"""How far the asking of a model is, for whoever follows its log."""

import time

REPORT_SECONDS = 5.0
BAR = 20


class Progress:
    """How far a job is: a line with a bar at most every few seconds, since logs are followed by line."""

    def __init__(self, total):
        """Start the clock of so many questions."""
        self.total, self.done, self.invalid, self.failed, self.cost = total, 0, 0, 0, 0.0
        self.started = self.told = time.monotonic()

    def step(self, invalid=False, failed=False, cost=0.0):
        """Count an answer or a failure."""
        self.done += 1
        self.invalid += invalid
        self.failed += failed
        self.cost += cost
        if time.monotonic() - self.told >= REPORT_SECONDS:
            self.tell()

    def tell(self):
        """Print how far it is and how long the rest takes."""
        self.told = time.monotonic()
        seconds = self.told - self.started
        full = BAR * self.done // self.total
        left = seconds / self.done * (self.total - self.done) if self.done else 0.0
        print(
            f"[{'#' * full}{'.' * (BAR - full)}] {self.done:,}/{self.total:,}: {self.invalid:,} invalid, "
            f"{self.failed:,} failed, {self.cost:.4f} dollars, {seconds:.0f} s, {left:.0f} s left",
            flush=True,
        )
