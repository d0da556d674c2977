"""
Result cache: where jobs look for what another study has made, and keep what they make (docs/share-results.md).
"""


def share_results(folder, rules):
    """Tell all jobs of this run the folder that `snakemake --cache` stands for, those on a cluster too."""
    if rules:
        raise WorkflowError(
            f"--cache took {', '.join(rules)} for rules. It takes none here: all rules that train or prepare share "
            "their results. Put another option behind it, as in: snakemake --cache --cores 8"
        )
    if "://" in folder:
        raise WorkflowError(f"SNAKEMAKE_OUTPUT_CACHE is {folder}, but must be a folder. Object storage is not read.")
    os.environ.update(EMPATHY_RESULT_CACHE=os.path.abspath(os.path.expanduser(folder)))


# Only the switch of Snakemake's own cache is used: its keys lack what tells seeds, packages and processors apart.
if workflow.enable_cache and os.getenv("SNAKEMAKE_OUTPUT_CACHE"):
    share_results(os.getenv("SNAKEMAKE_OUTPUT_CACHE"), workflow.workflow_settings.cache)
