"""The log handler: takes Snakemake's log records and decides what to show of them."""

import os
import re
import sys
from dataclasses import dataclass, field

from snakemake.logging import DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

from empathy_transfer.inspection.wording import STAGES, about, clean, clock, one_line, span
from snakemake_logger_plugin_empathy.command import go_on_command
from snakemake_logger_plugin_empathy.configfiles import config_fault
from snakemake_logger_plugin_empathy.display import BarsDisplay, PlainDisplay
from snakemake_logger_plugin_empathy.dryrun import job_table
from snakemake_logger_plugin_empathy.failure import failure_block, full_disk, missing_output, scheduler_end
from snakemake_logger_plugin_empathy.state import Job, Run

# What Snakemake says about its own doings. Everything that is not listed here is shown.
CHATTER = re.compile(
    r"Building DAG of jobs|DAG of jobs will be updated|Updating checkpoint|Processed \d+ potential|Using shell: "
    r"|Provided (cores|resources|remote)"
    r"|Rules claiming more threads|Select jobs to execute|Execute \d+ jobs|Group jobs: inactive"
    r"|(Conda|Singularity|Apptainer).*: ignored|Assuming unrestricted shared|Elapsed time: |host: "
    r"|Config file .* is (extended|replaced) by"
    r"|Reasons:\n|Some jobs were triggered by provenance|Rules with provenance triggered|Multiple includes of"
    r"|SLURM run ID: |Job \d+ has been submitted with SLURM jobid|Cleaning up SLURM log files"
    r"|(Storing in|Retrieving from) storage: |Finished (upload|retrieval)"
    r"|This was a dry-run|The run involves checkpoint|Removing temporary output|Would remove temporary output|None$",
)
INTERRUPTION = re.compile(r"Terminating processes on user request|Will exit after finishing currently running")
JOBS_FAILED = "At least one job did not complete successfully"
CANCELLED = "Cancelling snakemake on user request"
# They come before the closing words of the workflow's own handlers, which the bars would overwrite.
ENDINGS = ("Shutting down, this might", "Exiting because a job execution failed")
# They only collect.
NOT_WORTH_A_LINE = {
    *("all", "context", "controls", "leakage", "partial", "ratings", "significance", "variants"),
    *STAGES,
}


def _tell_interruption(kind, error, trace, usual=sys.excepthook):
    """What Python says of an error that nothing has caught; of Ctrl-C, before or after the jobs, how to go on."""
    if issubclass(kind, KeyboardInterrupt):
        print(f"\nStopped on request. To go on: {clean(go_on_command())}", file=sys.stderr)
    else:
        usual(kind, error, trace)


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """Settings of the plugin on Snakemake's command line."""

    plain: bool = field(
        default=False,
        metadata={"help": "Plain lines instead of progress bars, also with a terminal.", "env_var": False},
    )


class LogHandler(LogHandlerBase):
    """Progress of the workflow on the console. Called in a thread of its own, one record at a time."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self):
        """Choose the display."""
        common = self.common_settings
        quiet = {getattr(item, "name", str(item)).lower() for item in common.quiet or ()}
        self.silent = "all" in quiet and not common.dryrun
        self.show_progress = not quiet & {"progress", "all"}
        self.show_starts = self.show_progress and "rules" not in quiet
        self.show_reasons = "reason" not in quiet
        self.default_filter = DefaultFilter(
            common.quiet, common.debug_dag, common.verbose, common.dryrun, common.printshellcmds
        )
        self.default_formatter = DefaultFormatter(common.quiet, common.show_failed_logs)
        stream = sys.stdout if common.stdout else sys.stderr
        terminal = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        plain = (self.settings and self.settings.plain) or common.dryrun or common.verbose or not self.show_progress
        self.bars = bool(terminal and not plain)
        no_color = common.nocolor or bool(os.environ.get("NO_COLOR"))
        self.display = BarsDisplay(stream, no_color) if terminal else PlainDisplay(stream)
        self.run = Run()
        self.exceptions = []  # texts of exceptions that belong to a failed job still to be reported
        self.interrupted = False
        self.table_due = False
        self.blocks = 0
        sys.excepthook = _tell_interruption
        # Jobs inherit it: their own line about a failure would only repeat this console and break the bars.
        os.environ["EMPATHY_CONSOLE"] = "1"

    def emit(self, record):
        """Show a record; a fault in here must neither end a run nor hide what Snakemake had to say."""
        if self.silent:
            return
        try:
            self._show(record)
        except BrokenPipeError:
            self.silent = True
        except Exception as error:
            self.display.end()
            sys.__stderr__.write(f"{clean(record.getMessage())}\n(the console failed: {one_line(error)})\n")

    def close(self):
        """Put away the bars and say what is still to be said; called by Snakemake at its end."""
        try:
            if self.silent:
                return
            self.display.end()
            if self.table_due:
                self._show_table()
            for exception in self.exceptions:
                self.display.line(clean(exception), "red")
            self.exceptions.clear()
        except Exception as error:
            sys.__stderr__.write(f"(the console failed: {one_line(error)})\n")
        finally:
            super().close()

    def _show(self, record):
        """Route a record by its event."""
        event = getattr(record, "event", None)
        asked_for = self.common_settings.verbose or event in (LogEvent.SHELLCMD, LogEvent.DEBUG_DAG)
        if asked_for and self.default_filter.filter(record):
            text = self.default_formatter.format(record)
            if text and text != "None":
                self.display.line(clean(text))
        routes = {
            LogEvent.RUN_INFO: self._run_info,
            LogEvent.JOB_INFO: self._job_info,
            LogEvent.JOB_FINISHED: self._job_finished,
            LogEvent.JOB_ERROR: self._job_error,
            LogEvent.PROGRESS: self._progress,
            LogEvent.ERROR: self._error,
            None: self._message,
        }
        if event in routes:
            routes[event](record)

    def _run_info(self, record):
        """The jobs of the run are known."""
        self.run.plan(record.stats)
        if self.common_settings.dryrun:
            self.table_due = True
        elif self.bars:
            self.display.begin(self.run)
        elif self.show_progress:
            jobs = ", ".join(f"{self.run.counts(stage)[2]} {stage}" for stage in self.run.stages())
            self.display.line(f"{self.run.counts()[2]} jobs to run: {jobs}")

    def _job_info(self, record):
        """A job starts, or would start in a dry run."""
        job = Job(
            identifier=record.jobid,
            rule=record.rule_name,
            wildcards=dict(record.wildcards or {}),
            message=record.rule_msg or "",
            log=list(record.log or []),
            reason=record.reason or "",
            started=record.created,
        )
        self.run.start(job)
        if not self.common_settings.dryrun and self.show_starts and not self.bars and job.rule not in NOT_WORTH_A_LINE:
            self.display.line(f"{self._counter(record)} {job.label} started")

    def _job_finished(self, record):
        """A job is done."""
        job, duration = self.run.finish(record.job_id, record.created)
        if job is None or not self.show_progress or self.bars:
            return
        left = self.run.left(record.created)
        done, _failed, planned = self.run.counts()
        remark = f" (left about {about(left)})" if left is not None and done < planned else ""
        self.display.line(f"{self._counter(record)} {job.label} done in {span(duration)}{remark}")

    def _job_error(self, record):
        """A job failed."""
        if record.jobid not in self.run.jobs:
            # It failed before it was announced.
            self.run.start(Job(record.jobid, record.rule_name, {}, "", list(record.log or []), "", record.created))
        words = getattr(record, "rule_msg", None)
        ended = scheduler_end(words, list(record.log or [])) if words else None
        self._fail(record, record.jobid, self._take_exception(record.shellcmd), ended)

    def _fail(self, record, identifier, exception, ended=None):
        """Report a failed job once."""
        ending = self.run.stop if self.interrupted else self.run.fail
        job, duration = ending(identifier, record.created)
        if job is None:
            return
        if self.interrupted:
            self.display.line(f"{self._counter(record)} {job.label} stopped after {span(duration)}", "yellow")
            return
        with_tail = self.common_settings.show_failed_logs
        lines = failure_block(job, exception, with_commands=not self.blocks, with_tail=with_tail, ended=ended)
        self.blocks += 1
        self.display.line(f"{self._counter(record)} {job.label} FAILED after {span(duration)}", "bold red")
        self.display.line("\n".join(lines))

    def _take_exception(self, command):
        """The text of the exception that led to the failure of a job with this shell command, None for a script.

        Snakemake does not say which job an exception belongs to.
        """
        fits = [text for text in self.exceptions if command and command.strip() in text] or self.exceptions
        text = fits[0] if fits else ""
        if text:
            self.exceptions.remove(text)
        return text

    def _progress(self, record):
        """After the last job the bars are put away before the closing words."""
        if record.done >= record.total:
            self.display.end()

    def _error(self, record):
        """An exception that Snakemake reports."""
        text = record.getMessage()
        if JOBS_FAILED in text or CANCELLED in text:
            self._close_failed_run(CANCELLED in text)
        elif missing_output(text):
            self._fail(record, missing_output(text)[0], text)
        elif self.run.running and "CalledProcessError" in text:
            self.exceptions.append(text)
        elif "in _load_configfile" in text and (fault := config_fault(sys.argv[1:])):
            self.display.line(clean(fault), "red")
        else:
            if not self.run.running:
                self.display.end()
            if not self.common_settings.verbose:
                self.display.line(clean(text), "red")
            if disk := full_disk(text):
                self.display.line(f"  disk     {clean(disk)}")

    def _close_failed_run(self, cancelled):
        """The last line of a run that did not finish."""
        self.display.end()
        done, failed, planned = self.run.counts()
        if cancelled or self.interrupted:
            self.display.line(f"Stopped on request after {done} of {planned} jobs. To go on: {clean(go_on_command())}")
        else:
            words = f"{failed} of {planned} jobs failed, {done} done, {planned - done - failed} not run"
            self.display.line(f"{words}.", "bold red")

    def _message(self, record):
        """A message without an event: Snakemake's own chatter is left out."""
        if self.common_settings.verbose:
            return
        text = record.getMessage()
        if text.startswith(ENDINGS):
            self.display.end()
        elif INTERRUPTION.match(text):
            if not self.interrupted:
                self.display.end()
                self.display.line(clean(text), "yellow")
            self.interrupted = True
        elif text.startswith("Complete log(s): "):
            if self.run.failed and not self.interrupted:
                self.display.line(f"Snakemake's own log: {clean(text.removeprefix('Complete log(s): '))}")
        elif text.startswith("This was a dry-run"):
            self._show_table()
        elif record.levelname in ("WARNING", "ERROR", "CRITICAL") or not CHATTER.match(text):
            style = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}.get(record.levelname, "")
            self.display.line(clean(text), style)

    def _show_table(self):
        """The table of a dry run."""
        self.table_due = False
        lines = job_table(self.run.planned, list(self.run.jobs.values()), self.show_reasons)
        self.display.line("\n".join([*lines, "Dry run: nothing was started."]))

    def _counter(self, record):
        """Done and failed of all jobs, and the time since the start: `[12/130] 03:41`."""
        done, failed, planned = self.run.counts()
        return f"[{done + failed}/{planned}] {clock(record.created - self.run.started)}"
