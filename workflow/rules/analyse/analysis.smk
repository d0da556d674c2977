"""
Analysis: what the scores say, from the test of a single pair to what predicts transfer.
"""


include: "significance.smk"
include: "embeddings.smk"
include: "capacity.smk"
include: "context.smk"
include: "features.smk"
include: "importance.smk"
include: "../report/claims.smk"
include: "../report/specification.smk"
include: "predictors.smk"
include: "published.smk"
include: "rating_model.smk"
