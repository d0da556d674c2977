"""
Stage: how far people agree on the similarity of stories, and how near other people's models come to that.

NEEDS    raw files of the raters and of the peers in raw_dir
MAKES    <results>/similarity/{agreement,raters,equal_raters,ceiling,machines,cultures}.csv
         <results>/similarity/{peers,disagreements}.csv
"""


include: "../plan/agreement_plan.smk"


rule measure_similarity_agreement:
    input:
        files=rating_files,
    output:
        **{name: f"<results>/similarity/{name}.csv" for name in AGREEMENT_TABLES},
        provenance="<results>/similarity/agreement.provenance.json",
    log:
        "<logs>/similarity/agreement.log",
    conda:
        "../../../environment.yml"
    params:
        groups=described_files(RATING_GROUPS),
        names=list(RATING_GROUPS),
        compared=COMPARED_GROUPS,
        digests=similarity_digests,
        settings=interval_settings(),
        record_folder=RECORDED_DIGESTS,
        code=code_fingerprint("measure_similarity_agreement"),
    message:
        "Measuring how far people agree on the similarity of stories"
    script:
        "../../scripts/similarity/measure_similarity_agreement.py"


rule score_peers:
    input:
        peers=peer_files,
        machines=machine_files,
    output:
        peers="<results>/similarity/peers.csv",
        disagreements="<results>/similarity/disagreements.csv",
        provenance="<results>/similarity/peers.provenance.json",
    log:
        "<logs>/similarity/peers.log",
    conda:
        "../../../environment.yml"
    params:
        peers=described_files(PEER_SPLITS),
        splits=list(PEER_SPLITS),
        groups=described_files(WITH_MACHINES),
        names=list(WITH_MACHINES),
        digests=similarity_digests,
        settings={"alpha": config["analysis"]["alpha"], "listed": config["similarity"]["listed"]},
        record_folder=RECORDED_DIGESTS,
        code=code_fingerprint("score_peers"),
    message:
        "Scoring what other people's models say of the similarity of stories"
    script:
        "../../scripts/similarity/score_peers.py"
