"""The plan of the stage on empathic similarity: its jobs, what is missing, and that no training is asked for."""

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
}


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
    other = study.clone(tmp_path / "other")
    (other.folder / "resources/raw/empathicstories_urdu/Urdu_Dataset_Annotation.csv").unlink()
    runs = in_parallel({name: lambda one=one: one.dry_run("similarity", "--configfile", "config/demo.yaml")
                        for name, one in (("whole", study), ("missing", other))})  # fmt: skip
    assert runs["whole"].status == 0, runs["whole"].text
    assert {rule: number for rule, number in runs["whole"].rules.items() if rule in STAGE} == STAGE
    assert not runs["whole"].trained
    assert runs["missing"].status != 0
    assert "similarity.agreement.raters.urdu:" in runs["missing"].text
    assert "is missing. It comes from Manzoor et al. 2024" in runs["missing"].text
