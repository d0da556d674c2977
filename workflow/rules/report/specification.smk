"""
Stage: would other choices have told another story? Each claim under every defensible choice, and one test of all of them.

NEEDS    resources/claims/transfer.yaml
         <results>/analysis/{scores,improvement,significance,leaked_pairs,pair_features}.csv
MAKES    <results>/analysis/{specification,specification_tests}.csv, <results>/figures/specification.{png,svg,csv}
"""


rule tabulate_specifications:
    input:
        claims=local("resources/claims/transfer.yaml"),
        scores="<results>/analysis/scores.csv",
        improvement="<results>/analysis/improvement.csv",
        significance="<results>/analysis/significance.csv",
        leaked_pairs="<results>/analysis/leaked_pairs.csv",
        features="<results>/analysis/pair_features.csv",
    output:
        specifications="<results>/analysis/specification.csv",
        tests="<results>/analysis/specification_tests.csv",
        provenance="<results>/analysis/specification.provenance.json",
    log:
        "<logs>/analysis/specification.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(WANTED),
        code=code_fingerprint("tabulate_specifications"),
    message:
        "Computing the effects of all claims under every choice"
    script:
        "../../scripts/report/tabulate_specifications.py"


rule plot_specifications:
    input:
        specifications="<results>/analysis/specification.csv",
        tests="<results>/analysis/specification_tests.csv",
    output:
        png=report(
            "<results>/figures/specification.png",
            caption="../../report/specification.rst",
            category="Claims",
        ),
        svg="<results>/figures/specification.svg",
        csv="<results>/figures/specification.csv",
        provenance="<results>/figures/specification.provenance.json",
    log:
        "<logs>/figures/specification.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("plot_specifications"),
    message:
        "Drawing the specification curves"
    script:
        "../../scripts/report/plot_specifications.py"


rule specification:
    input:
        "<results>/figures/specification.png",
