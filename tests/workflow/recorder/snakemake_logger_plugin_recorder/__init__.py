"""A Snakemake logger plugin for tests: writes one line of JSON per job that starts, or would start in a dry run.

Snakemake finds it by the name of this package. The file is named by the environment variable RECORDED_JOBS.
"""

import json
import os

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent


class LogHandler(LogHandlerBase):
    """Records jobs."""

    writes_to_stream = False
    writes_to_file = True
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self):
        self.baseFilename = os.environ["RECORDED_JOBS"]
        self.stream = open(self.baseFilename, "w", encoding="utf-8")  # noqa: SIM115

    def emit(self, record):
        if getattr(record, "event", None) != LogEvent.JOB_INFO:
            return
        job = {
            "rule": record.rule_name,
            "wildcards": dict(record.wildcards or {}),
            "output": [str(path) for path in record.output or []],
            "reason": record.reason or "",
        }
        self.stream.write(json.dumps(job) + "\n")
        self.stream.flush()

    def close(self):
        self.stream.close()
        super().close()
