"""
Transfer between 18 empathy tasks: from raw files to a table and a heat map of transfer.

    snakemake --cores 8 --resources gpu=2                the full study
    snakemake --configfile config/local.yaml --cores 2   a study for a laptop
"""

from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/plan/schemas.smk"
include: "workflow/rules/plan/settings.smk"


refuse_other_encodings("config/config.yaml")


configfile: "config/config.yaml"


check_config()


pathvars:
    results=f"results/{config['study']}",
    logs=f"logs/{config['study']}",


include: "workflow/rules/plan/common.smk"
include: "workflow/rules/data/data.smk"
include: "workflow/rules/data/leakage.smk"
include: "workflow/rules/train/baseline.smk"
include: "workflow/rules/train/transfer.smk"
include: "workflow/rules/train/controls.smk"
include: "workflow/rules/train/variants.smk"
include: "workflow/rules/analyse/ratings.smk"
include: "workflow/rules/analyse/reliability.smk"
include: "workflow/rules/analyse/scores.smk"
include: "workflow/rules/report/scores.smk"
include: "workflow/rules/analyse/analysis.smk"
include: "workflow/rules/relabel/labels.smk"
include: "workflow/rules/relabel/relabel.smk"
include: "workflow/rules/pairs/pairs.smk"
include: "workflow/rules/rater/raters.smk"
include: "workflow/rules/similarity/models.smk"
include: "workflow/rules/similarity/agreement.smk"
include: "workflow/rules/similarity/similarity_report.smk"
include: "workflow/rules/report/partial.smk"
include: "workflow/rules/plan/run.smk"


if "demo" in config:

    include: "workflow/rules/data/demo.smk"


rule all:
    default_target: True
    input:
        "<results>/COMPLETE.json",
        AGGREGATES,
        RATINGS,
        CAPACITY,
        CONTEXT,
        VARIANT_RESULTS,


check_targets()
