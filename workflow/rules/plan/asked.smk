"""
Asked: what the command line asks for, which Snakemake itself tells only once the rules are read, and what belongs
to it.
"""

import functools
import os
import sys


@functools.cache
def asked_targets():
    """The targets that this run was asked for; none for all of the study."""
    from snakemake_logger_plugin_empathy.command import targets

    return targets(sys.argv[1:])


def check_targets():
    """Stop at a target that no rule has or makes, with the one that it may have been meant to be."""
    words = [word for word in sys.argv[1:] if not word.startswith("-") and not workflow.is_rule(word)]
    # It takes a third of a second to tell targets from other arguments, so only where one of these may be unknown.
    unknown = [word for word in words if not (word.isdecimal() or "=" in word or os.path.exists(word))]
    if not workflow.is_main_process or STORED or not unknown:
        return
    for target in asked_targets():
        if target in unknown and not any(each.is_producer(os.path.relpath(target)) for each in workflow.rules):
            stages = sorted(each.name for each in workflow.rules if not each.output)
            made = [str(path) for each in workflow.rules for path in each.output if not path.contains_wildcard()]
            raise WorkflowError(
                f"There is no target '{target}'{suggestion(target, stages + made)}. Targets: {', '.join(stages)}; or "
                f"name a file that a rule of this study makes, below {RESULTS}/."
            )


def only_asked(names, *folders):
    """Whether this run was asked for nothing but some target rules and files of some folders."""
    below = tuple(f"{folder}/" for folder in folders)

    def fits(argument):
        """Whether an argument of the command line is one of them."""
        return argument in names or argument.startswith(below)

    # In this order, since it takes a third of a second to tell targets from other arguments.
    return any(map(fits, sys.argv)) and bool(asked_targets()) and all(map(fits, asked_targets()))


def only_published():
    """Whether this run was asked for nothing but the analysis of the printed numbers, which needs no data."""
    return only_asked(["published_analysis"], "results/published")


def only_labels():
    """Whether this run was asked for nothing but labels from language models, which need no task's data."""
    return only_asked(["labels", "validate_prompts", "relabel"], f"results/{config['study']}/relabel")


# The stages that use pairs of texts, with a target each; their files have one of the words in their paths.
PAIR_STAGES = {"pairs": "pair", "rater": "rater", "similarity": "similarity"}


def only_pairs():
    """Whether this run was asked for nothing but pairs of texts and their models, which need no task's data."""
    stages = list(PAIR_STAGES)
    # Raters on adapters of the transfer study need its tasks, and what is counted of their pairs does not.
    if any((variant or {}).get("source") for variant in config["rater"]["variants"].values()):
        stages.remove("rater")
    return only_asked(stages, *(f"results/{config['study']}/{folder}" for folder in [*stages, "rater/data"]))


def pairs_asked():
    """Whether this run may need pairs of texts: their stages or files are asked for, or it is the process of one job."""

    def fits(argument):
        """Whether an argument of the command line is a target of these stages, or one of their files."""
        _, below, path = argument.partition(f"results/{config['study']}/")
        return argument in PAIR_STAGES or (below and any(word in path for word in PAIR_STAGES.values()))

    return not workflow.is_main_process or any(map(fits, sys.argv[1:]))


def asked_runs(asked):
    """Provenance files of trainings and labels by stage: those behind some targets, or of the study without any."""
    study = {
        "data": expand(f"{RESULTS}/data/{{task}}/provenance.json", task=TASKS),
        "baseline": runs(f"{RESULTS}/baseline/{{data}}/seed={{seed}}/{{task}}/provenance.json"),
        "transfer": runs(f"{RESULTS}/transfer/{{data}}/seed={{seed}}/{{pair}}/provenance.json"),
        "control": [path for task in TASKS for path in control_runs(task, "provenance.json")],
        "variant": variant_runs("provenance.json"),
    }
    if not asked:
        return study
    labels = {
        "labels": [path.replace("labels.parquet", "labels.provenance.json") for path in labelled_sets()],
        "relabel": relabel_runs("provenance.json"),
        "pairs": pair_tables("provenance.json"),
        "rater": rater_runs("provenance.json"),
        "stories": similarity_runs("provenance.json"),
    }
    behind = {
        "controls": ["control"],
        "variants": ["variant"],
        "relabel": ["labels", "relabel"],
        "similarity": ["stories"],
    }
    stages = {stage for target in asked for stage in behind.get(target, [target])}

    def counts(stage, path):
        """Whether a result belongs to a target's own stage, or was made in this run on the way to a target."""
        return stage in stages or (os.path.exists(path) and os.path.getmtime(path) >= int(STARTED))

    return {stage: [path for path in paths if counts(stage, path)] for stage, paths in (study | labels).items()}


def asked_pages(asked):
    """What to open first after some targets: all labels, the first file that another stage collects, a file itself."""
    pages = []
    for target in asked:
        if target == "labels":
            pages += labelled_sets()
        elif workflow.is_rule(target):
            pages += [str(path) for path in list(workflow.get_rule(target).input)[:1] if not callable(path)]
        else:
            pages.append(target)
    return pages or [f"{RESULTS}/figures/improvement_{kind}_full.png" for kind in KINDS]
