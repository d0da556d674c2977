"""
Stage: the generated data of the demo study, with a planted truth.

MAKES    <results>/raw/demo_{letters,notes,replies}/{letters,notes,replies}.csv
         <results>/raw/truth.json
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
        "../../environment.yml"
    params:
        rows=config["demo"]["rows"],
        seed=config["demo"]["seed"],
        code=code_fingerprint("generate_demo"),
    message:
        "Generating the demo's texts"
    script:
        "../scripts/generate_demo.py"
