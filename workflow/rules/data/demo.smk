"""
Stage: the generated data of the demo study, with a planted truth, and whether transfer follows it: `snakemake planted`.

MAKES    <results>/raw/demo_{letters,notes,replies}/{letters,notes,replies}.csv
         <results>/raw/truth.json, <results>/analysis/planted.{csv,json}
"""


rule generate_demo:
    output:
        letters="<results>/raw/demo_letters/letters.csv",
        replies="<results>/raw/demo_replies/replies.csv",
        notes="<results>/raw/demo_notes/notes.csv",
        truth="<results>/raw/truth.json",
        provenance="<results>/raw/provenance.json",
    log:
        "<logs>/raw/demo.log",
    conda:
        "../../../environment.yml"
    params:
        rows=config["demo"]["rows"],
        seed=config["demo"]["seed"],
        code=code_fingerprint("generate_demo"),
    message:
        "Generating the demo's texts"
    script:
        "../../scripts/data/generate_demo.py"


rule compare_with_truth:
    input:
        improvement="<results>/analysis/improvement.csv",
        significance="<results>/analysis/significance.csv",
        truth="<results>/raw/truth.json",
    output:
        planted="<results>/analysis/planted.csv",
        finding="<results>/analysis/planted.json",
        provenance="<results>/analysis/planted.provenance.json",
    log:
        "<logs>/analysis/planted.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("compare_with_truth"),
    message:
        "Comparing transfer with the planted relatedness"
    script:
        "../../scripts/data/compare_with_truth.py"


rule planted:
    input:
        "<results>/analysis/planted.csv",
