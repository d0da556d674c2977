"""
Stage: does what the paper claims hold here? A verdict for each claim, by rules written down before.

NEEDS    resources/claims/transfer.yaml, the printed tables of scores
         <results>/analysis/{significance,importance_variants,rating_nulls}.csv, and variant_gains.csv where there are variants
MAKES    <results>/analysis/claims.{csv,md}
"""

REGISTRATION = local(config["preregistration"]) if config["preregistration"] else []


rule tabulate_claims:
    input:
        claims=local("resources/claims/transfer.yaml"),
        scores=local("resources/published/tables7_8_scores.csv"),
        labels=local("resources/published/tables10_12_label_shares.csv"),
        themes=local("resources/published/tables4_5_tasks.csv"),
        significance="<results>/analysis/significance.csv",
        importance="<results>/analysis/importance_variants.csv",
        nulls="<results>/analysis/rating_nulls.csv",
        variants=VARIANT_RESULTS[1] if VARIANT_RESULTS else [],
        registration=REGISTRATION,
    output:
        csv="<results>/analysis/claims.csv",
        text="<results>/analysis/claims.md",
        provenance="<results>/analysis/claims.provenance.json",
    log:
        "<logs>/analysis/claims.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(WANTED),
        settings=registered_settings(),
        generated="demo" in config,
        code=code_fingerprint("tabulate_claims"),
    message:
        "Judging the claims of the paper"
    script:
        "../../scripts/report/tabulate_claims.py"


rule claims:
    input:
        "<results>/analysis/claims.md",
