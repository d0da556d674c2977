"""Console of the workflow as a Snakemake logger plugin: `snakemake --logger empathy`.

With a terminal one progress bar per stage with the time left, without one a plain line per job. Snakemake finds the
plugin by the name of this package, and the handler and its settings by their names.
"""

from snakemake_logger_plugin_empathy.handler import LogHandler, LogHandlerSettings

__all__ = ["LogHandler", "LogHandlerSettings"]
