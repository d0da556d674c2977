"""What a run would do now: `python -m snakemake_logger_plugin_empathy.planned FILE ... [--configfile FILE ...]`.

Takes the arguments of a dry run of some results and prints, as JSON, the jobs that would run with the reasons, and for
the jobs that make the results the settings and inputs that they would be given now, whether they would run or not.
"""

import contextlib
import json
import sys

from snakemake.api import SnakemakeApi
from snakemake.cli import parse_args, parse_config
from snakemake.settings.enums import Quietness
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    ExecutionSettings,
    OutputSettings,
    ResourceSettings,
)

from snakemake_logger_plugin_empathy.dryrun import reasons_of


def planned_jobs(arguments):
    """The jobs that would run for some results, and the jobs that make these results.

    Args:
        arguments: those of a dry run: results as targets, `--configfile` and `--config`. The policy of when jobs run
            again is that of the profile that Snakemake finds by itself.

    Returns:
        list of dicts of plain values: `rule`, `wildcards`, `output` paths, whether it `runs`, and why (`reasons`); for
        those that make a target also `params` and `input` paths, else None for both.

    Raises:
        Exception: Snakemake can't plan the targets; it has said why on standard error.
    """
    _, asked = parse_args([*arguments, "--dry-run"])
    quiet = {Quietness.PROGRESS, Quietness.RULES}  # so the dry run ends when the plan is made
    with SnakemakeApi(OutputSettings(dryrun=True, quiet=quiet)) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(
                config=parse_config(asked.config), configfiles=asked.configfile, config_args=asked.config
            ),
        )
        plan = workflow.dag(
            DAGSettings(
                targets=asked.targets,
                rerun_triggers=asked.rerun_triggers,
                force_incomplete=asked.rerun_incomplete,
                max_checksum_file_size=asked.max_checksum_file_size,
            )
        )
        plan.execute_workflow(executor="dryrun", execution_settings=ExecutionSettings(lock=False))
        dag = workflow._workflow.dag  # Snakemake shows it in no public way
        return [found for job in dag.jobs if (found := _described(job, dag, set(asked.targets)))]


def _described(job, dag, targets):
    """A job in plain values; None if it neither runs nor makes a target."""
    runs, makes = dag.needrun(job), not targets.isdisjoint(map(str, job.output))
    if not (runs or makes):
        return None
    ordering = job.input.get("after", [])  # files that set the order only; jobs don't record them
    ordering = [ordering] if isinstance(ordering, str) else list(ordering)
    return {
        "rule": job.rule.name,
        "wildcards": {name: str(value) for name, value in job.wildcards_dict.items()},
        "output": [str(path) for path in job.output],
        "runs": runs,
        "reasons": reasons_of(str(dag.reason(job))) if runs else [],
        "params": dict(job.params.items()) if makes else None,
        "input": [str(path) for path in job.input if path not in ordering] if makes else None,
    }


def main():
    """Print the plan. Returns 0, or 1 if there is none."""
    try:
        # What the rules print while they are read belongs to the messages.
        with contextlib.redirect_stdout(sys.stderr):
            jobs = planned_jobs(sys.argv[1:])
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    json.dump(jobs, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
