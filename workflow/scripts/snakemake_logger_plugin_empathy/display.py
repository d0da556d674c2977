"""The two ways to show a run: plain lines, and bars at the foot of a terminal with lines above them."""

import time

from empathy_transfer.inspection.wording import about, clock, one_line

REFRESH_PER_SECOND = 4


class PlainDisplay:
    """Lines on a stream, each flushed, so that they can be followed and searched."""

    def __init__(self, stream):
        """Write to an open text stream."""
        self.stream = stream

    def line(self, text, style=""):
        """Print a line (or several); the style is for terminals."""
        try:
            self.stream.write(text + "\n")
        except UnicodeEncodeError:
            self.stream.write(text.encode("ascii", "backslashreplace").decode("ascii") + "\n")
        self.stream.flush()

    def begin(self, run):
        """Nothing to prepare."""

    def end(self):
        """Nothing to put away."""


class BarsDisplay:
    """One bar per stage at the foot of the terminal, what runs right now below them, and lines above."""

    def __init__(self, stream, no_color):
        """Draw on the terminal behind an open text stream."""
        from rich.console import Console

        self.console = Console(file=stream, no_color=no_color or None, highlight=False, markup=False, emoji=False)
        self.live = None
        self.run = None
        self.ended = False

    def line(self, text, style=""):
        """Print a line (or several) above the bars; long ones wrap by themselves, so that they can be copied whole."""
        from rich.text import Text

        self.console.print(Text(text, style=style), soft_wrap=True)

    def begin(self, run):
        """Draw the bars of a run from now on."""
        from rich.live import Live

        self.run = run
        self.live = Live(
            get_renderable=self._foot,
            console=self.console,
            refresh_per_second=REFRESH_PER_SECOND,
            vertical_overflow="crop",
        )
        self.live.start()

    def end(self):
        """Draw the bars a last time and leave them where they are."""
        self.ended = True
        if self.live is not None:
            self.live.stop()
            self.live = None

    def _foot(self):
        """Bars, counts and running jobs, as they are now."""
        from rich.console import Group
        from rich.text import Text

        now = time.time()
        running = self.run.now_running()
        lines = [self._bars(now), Text(self._status(now), style="bold", no_wrap=True, overflow="ellipsis")]
        if running and not self.ended:
            jobs = "; ".join(f"{job.doing} ({clock(now - job.started)})" for job in running)
            # The terminal echoes an interrupt as ^C behind this line: without room for it the bars would shift.
            lines.append(Text(one_line(f"running: {jobs}", self.console.width - 4), style="dim", no_wrap=True))
        return Group(*lines)

    def _bars(self, now):
        """The bars: stage, bar, done/planned, elapsed, left."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        table = Table.grid(padding=(0, 2, 0, 0))
        for justify in ("left", "left", "right", "right", "left"):
            table.add_column(justify=justify, no_wrap=True)
        width = min(40, max(8, self.console.width - 58))
        for stage in self.run.stages():
            done, failed, planned = self.run.counts(stage)
            elapsed = self.run.elapsed(stage, now)
            bar = ProgressBar(
                total=planned,
                completed=done,
                width=width,
                complete_style="red" if failed else "cyan",
                finished_style="green",
            )
            table.add_row(
                stage,
                bar,
                f"{done}/{planned}",
                "" if elapsed is None else clock(elapsed),
                self._remark(stage, done, failed, planned, now),
            )
        return table

    def _remark(self, stage, done, failed, planned, now):
        """What stands behind a bar: failures, and the time left or why there is none."""
        from rich.text import Text

        parts = [Text(f"{failed} failed", style="red")] if failed else []
        if done == planned:
            parts.append(Text("done", style="green"))
        elif done + failed < planned and self.ended:
            parts.append(Text(f"{planned - done - failed} not run", style="dim"))
        elif done + failed < planned and stage not in self.run.stage_started:
            parts.append(Text("waiting", style="dim"))
        elif done + failed < planned:
            left = self.run.left(now, stage)
            parts.append(Text("running" if left is None else f"about {about(left)} left"))
        return Text(", ").join(parts)

    def _status(self, now):
        """Counts and times of the whole run."""
        done, failed, planned = self.run.counts()
        left = self.run.left(now) if done + failed < planned and not self.ended else None
        return (
            f"{done} of {planned} jobs done"
            + (f", {failed} failed" if failed else "")
            + f", {clock(now - self.run.started)}"
            + ("" if left is None else f", about {about(left)} left")
        )
