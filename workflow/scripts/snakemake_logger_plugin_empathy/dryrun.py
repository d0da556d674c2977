"""The table of a dry run: jobs by rule, with their number, why they would run, and which they are."""

import re
from collections import Counter

from empathy_transfer.inspection.wording import STAGES, clean, one_line, stage_of, subject

# Snakemake's reasons in fewer words. Input that another job of the same run makes explains nothing by itself, so it
# counts only where it is the only reason.
REASONS = {
    "Forced execution": "forced",
    "Missing output files": "missing output",
    "Incomplete output files": "incomplete output",
    "Updated input files": "newer input",
    "Set of input files has changed since last execution": "other set of inputs",
    "Code has changed since last execution": "changed code",
    "Params have changed since last execution": "changed settings",
    "Software environment definition has changed since last execution": "changed environment",
    "Input files updated by another job": "input made anew",
}
LAST_RESORT = "input made anew"
EXAMPLES = 4


def reasons_of(text):
    """The short reasons in a job's reason text, the most telling ones only."""
    found = [short for long, short in REASONS.items() if re.search(rf"(^|; ){re.escape(long)}(:|;|$)", text)]
    # A set of inputs or settings of a job without outputs explains nothing more than its missing outputs.
    telling = [reason for reason in found if reason != LAST_RESORT] or found
    if "missing output" in telling:
        return ["missing output"]
    return telling or [one_line(text, 60) or "not said"]


def job_table(stats, jobs, with_reasons=True):
    """The lines of the table.

    Args:
        stats: {rule: number of jobs}, in order of execution; the entry "total" is left out.
        jobs: the jobs that Snakemake would run, each with rule, wildcards and reason; may be empty.
        with_reasons: whether to say why jobs would run.
    """
    order = {stage: place for place, stage in enumerate(STAGES)}
    rules = sorted((rule for rule in stats if rule != "total"), key=lambda rule: order[stage_of(rule)])
    with_reasons = with_reasons and bool(jobs)
    width = max(len(clean(rule)) for rule in [*rules, "total"])
    lines = [f"{'stage':<10}{'rule':<{width}}  {'jobs':>6}" + ("  why" if with_reasons else "")]
    for rule in rules:
        own = [job for job in jobs if job.rule == rule]
        line = f"{stage_of(rule):<10}{clean(rule):<{width}}  {stats[rule]:>6}"
        if with_reasons and own:
            counts = Counter(reason for job in own for reason in reasons_of(job.reason))
            line += "  " + ", ".join(f"{reason} ({number})" for reason, number in counts.most_common())
        lines.append(line)
        names = [name for name in sorted(subject(job.wildcards) for job in own) if name]
        if names:
            more = f"; and {len(names) - EXAMPLES} more" if len(names) > EXAMPLES else ""
            lines.append(f"{'':<12}{'; '.join(names[:EXAMPLES])}{more}")
    lines.append(f"{'':<10}{'total':<{width}}  {sum(number for rule, number in stats.items() if rule != 'total'):>6}")
    return lines
