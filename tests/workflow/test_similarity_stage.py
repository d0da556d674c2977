"""The plan of the stage on empathic similarity: its jobs, what is missing, and which models are switched on."""

import pytest
import yaml

from study_copy import ROOT, StudyCopy, in_parallel

STAGE = {
    "measure_similarity_agreement": 1,
    "score_peers": 1,
    "compare_with_ceiling": 1,
    "plot_similarity_ceiling": 1,
    "judge_similarity_claims": 1,
    "report_similarity": 1,
    # Five folds of four labels; two encoders, each with eight losses on the first label and one on the other three.
    "prepare_pairs": 20,
    "embed_pairs": 2,
    "train_contrastive": 5 * 2 * (8 + 3),
    "score_similarity": 1,
    "compare_similarity": 1,
    "tabulate_similarity": 1,
    "plot_similarity_models": 1,
}
# Switched on: one model that is asked, one that is fine-tuned in two ways; one loss is switched off.
MORE = """
similarity:
  encoders: [{key: tiny, name: tiny, revision: null, max_length: 64}]
  contrastive: {losses: {triplet: null}, keep_models: true}
  zero_shot:
    models:
      judge: {provider: llama_cpp, model: j, gguf: j.gguf, context: 1024, prompt: definition, attempts: 1, retries: 0,
              decoding: {temperature: 0, top_p: 1, max_tokens: 40, seed: 0}, concurrency: 1, timeout: 60}
  fine_tuning:
    models: {small: {name: small}}
    variants: {all: {explanation: false, loss_on: all, reversed: false}}
"""


def raw_files():
    """Paths of the stage's raw files, as the config names them."""
    about = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))["similarity"]
    parts = [*about["agreement"]["raters"].values()]
    parts += [split[part] for split in about["peers"].values() for part in ("scores", "pairs")]
    return {f"{part['folder']}/{part['file']}" for part in parts}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A copy of the repository with stand-ins for the stage's raw files."""
    study = StudyCopy.of_repository(tmp_path_factory.mktemp("similarity") / "study")
    for path in raw_files():
        study.write(f"resources/raw/{path}", "")
    return study


def test_the_stage_runs_by_itself_and_names_a_missing_file(study, tmp_path):
    other, more = study.clone(tmp_path / "other"), study.clone(tmp_path / "more")
    more.write("config/more.yaml", MORE)
    (other.folder / "resources/raw/empathicstories_urdu/Urdu_Dataset_Annotation.csv").unlink()
    plans = {"whole": (study,), "missing": (other,), "more": (more, "config/more.yaml")}
    runs = in_parallel({
        name: lambda one=one, rest=rest: one.dry_run("similarity", "--configfile", "config/demo.yaml", *rest)
        for name, (one, *rest) in plans.items()
    })  # fmt: skip
    assert runs["whole"].status == 0, runs["whole"].text
    assert {rule: number for rule, number in runs["whole"].rules.items() if rule in STAGE} == STAGE
    assert not runs["whole"].trained
    assert runs["missing"].status != 0
    assert "similarity.agreement.raters.urdu:" in runs["missing"].text
    assert "is missing. It comes from Manzoor et al. 2024" in runs["missing"].text
    assert runs["more"].status == 0, runs["more"].text
    wanted = {"train_contrastive": 5 * (7 + 3), "fine_tune": 5 * 2, "ask_about_pairs": 4, "parse_pair_ratings": 4}
    assert {rule: runs["more"].rules[rule] for rule in wanted} == wanted
