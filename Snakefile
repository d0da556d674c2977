"""
Transfer between 18 empathy tasks: from raw files to a table and a heat map of transfer.

    snakemake --cores 8 --resources gpu=2                the full study
    snakemake --configfile config/local.yaml --cores 2   a study for a laptop
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "workflow/rules/settings.smk"


check_config()


pathvars:
    results=f"results/{config['study']}",
    logs=f"logs/{config['study']}",


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/leakage.smk"
include: "workflow/rules/baseline.smk"
include: "workflow/rules/transfer.smk"
include: "workflow/rules/controls.smk"
include: "workflow/rules/variants.smk"
include: "workflow/rules/ratings.smk"
include: "workflow/rules/scores.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/relabel.smk"
include: "workflow/rules/partial.smk"
include: "workflow/rules/run.smk"


if config["pack"] > 1:

    include: "workflow/rules/packs.smk"


if "demo" in config:

    include: "workflow/rules/demo.smk"


rule all:
    default_target: True
    input:
        "<results>/COMPLETE.json",
        AGGREGATES,
        RATINGS,
        CAPACITY,
        CONTEXT,
        VARIANT_RESULTS,
