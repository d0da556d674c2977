"""A logger plugin of Snakemake for tests: writes one line of JSON per job that starts, or would start in a dry run.

Snakemake finds it by its name. The environment variable RECORDED_JOBS names the file.
"""

import json
import os

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent


class LogHandler(LogHandlerBase):
    """Records the jobs of a run: rule, wildcards and output."""

    writes_to_stream = False
    writes_to_file = True
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self):
        self.baseFilename = os.environ["RECORDED_JOBS"]  # Snakemake asks for it
        self.file = open(self.baseFilename, "w", encoding="utf-8")  # noqa: SIM115

    def emit(self, record):
        if getattr(record, "event", None) == LogEvent.JOB_INFO:
            job = {
                "rule": record.rule_name,
                "wildcards": dict(record.wildcards or {}),
                "output": [str(path) for path in record.output or []],
            }
            self.file.write(json.dumps(job) + "\n")
            self.file.flush()

    def close(self):
        self.file.close()
        super().close()
