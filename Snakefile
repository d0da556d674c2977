"""
Transfer between 18 empathy tasks: from raw files to a table and a heat map of transfer.

    snakemake --cores 8 --resources gpu=2                       the full study
    snakemake --configfile config/local.yaml --cores 2          a study for a laptop
    snakemake -n                                                what would run, and why
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "workflow/rules/settings.smk"


check_config()


pathvars:
    results=f"results/{config['study']}",
    logs=f"logs/{config['study']}",


include: "workflow/rules/fingerprint.smk"
include: "workflow/rules/registry.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/baseline.smk"
include: "workflow/rules/transfer.smk"
include: "workflow/rules/scores.smk"


if "demo" in config:

    include: "workflow/rules/demo.smk"


if workflow.is_main_process:
    tell_plan()


onstart:
    hold_study()


onsuccess:
    close_run()


onerror:
    close_run()


rule all:
    default_target: True
    input:
        "<results>/COMPLETE.json",
        AGGREGATES,


rule data:
    input:
        "<results>/data/summary.csv",


rule baseline:
    input:
        runs("<results>/baseline/{data}/seed={seed}/{task}/metrics.json"),


rule transfer:
    input:
        runs("<results>/transfer/{data}/seed={seed}/{pair}/metrics.json"),
