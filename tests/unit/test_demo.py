import json
import math
from collections import Counter
from itertools import combinations, pairwise

import pytest
import yaml

from empathy_transfer.data.demo import (
    CUES,
    DATASETS,
    NOISE,
    RANGE,
    TASKS,
    TRAITS,
    ceiling,
    generate,
    label_column,
    planted_truth,
    relatedness,
    unit_weights,
    write_demo,
)

ROWS = 600
DATA = generate(rows=ROWS, seed=1)
FIRST_LETTER = {
    "id": "demo_letters_00001",
    "writer": "writer_00001",
    "text": "Violin played, poppy enclosed, wear thread, saw crow.",
    "concern": -1.8,
    "hope": "bleak",
}
LEVELS = {word: level for words in CUES.values() for level, part in zip((1, -1), words, strict=True) for word in part}
TRAIT_OF = {word: trait for trait, parts in CUES.items() for part in parts for word in part}


def traits_told(row):
    """The traits of an item, read back from its words."""
    words = f"{row.get('context', '')} {row['text']}".lower().replace(",", "").replace(".", "").split()
    told = [(TRAIT_OF[word], LEVELS[word]) for word in words if word in LEVELS]
    assert len(told) == len(TRAITS)
    return dict(told)


def noiseless_score(task, row):
    traits = traits_told(row)
    return sum(weight * traits[trait] for trait, weight in unit_weights(TASKS[task]).items())


def correlation(first, second):
    mean_first, mean_second = sum(first) / len(first), sum(second) / len(second)
    products = [(a - mean_first) * (b - mean_second) for a, b in zip(first, second, strict=True)]
    both = ((first, mean_first), (second, mean_second))
    squares = [sum((value - mean) ** 2 for value in values) for values, mean in both]
    return sum(products) / math.sqrt(squares[0] * squares[1])


def rows_of(task):
    return DATA[TASKS[task]["dataset"]]


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    assert generate(rows=20, seed=1) == generate(rows=20, seed=1)
    assert generate(rows=20, seed=1) != generate(rows=20, seed=2)


def test_more_rows_keep_the_first_ones():
    assert all(generate(rows=20, seed=1)[dataset] == DATA[dataset][:20] for dataset in DATASETS)


def test_the_first_letter_is_the_same_on_every_machine():
    assert generate(rows=2, seed=1)["demo_letters"][0] == FIRST_LETTER


@pytest.mark.parametrize("dataset", DATASETS)
def test_rows_have_ids_groups_and_a_label_for_each_task(dataset):
    form, rows = DATASETS[dataset], DATA[dataset]
    context = ["context"] if form["context"] else []
    labels = [label_column(task) for task in TASKS if TASKS[task]["dataset"] == dataset]
    assert all(list(row) == ["id", form["group"], *context, "text", *labels] for row in rows)
    assert len({row["id"] for row in rows}) == ROWS
    assert set(Counter(row[form["group"]] for row in rows).values()) == {2}
    assert all(row["text"] for row in rows)


def test_replies_of_a_thread_answer_one_post():
    by_thread = {}
    for row in DATA["demo_replies"]:
        by_thread.setdefault(row["thread"], set()).add(row["context"])
    assert all(len(posts) == 1 for posts in by_thread.values())


def test_no_word_tells_two_traits_and_none_is_part_of_a_clause():
    words = [word for parts in CUES.values() for part in parts for word in part]
    assert len(words) == len(set(words))
    clauses = [clause for form in DATASETS.values() for choices in form["clauses"].values() for clause in choices]
    assert not set(words) & set(" ".join(clauses).split())


@pytest.mark.parametrize("task", [task for task in TASKS if TASKS[task]["kind"] == "classification"])
def test_classes_are_balanced(task):
    labels = TASKS[task]["labels"]
    shares = Counter(row[label_column(task)] for row in rows_of(task))
    assert set(shares) == set(labels)
    # Three standard deviations of a share at 600 rows; the two rows of a thread share traits, hence the factor 2.
    share = 1 / len(labels)
    assert all(abs(shares[label] / ROWS - share) < 3 * math.sqrt(2 * share * (1 - share) / ROWS) for label in labels)


@pytest.mark.parametrize("task", [task for task in TASKS if TASKS[task]["kind"] == "regression"])
def test_ratings_are_the_weighted_traits_plus_noise(task):
    ratings = [row[label_column(task)] for row in rows_of(task)]
    scores = [noiseless_score(task, row) for row in rows_of(task)]
    assert all(RANGE[0] <= rating <= RANGE[1] for rating in ratings)
    assert correlation(ratings, scores) == pytest.approx(ceiling(TASKS[task]), abs=0.02)
    noise = [rating - score for rating, score in zip(ratings, scores, strict=True)]
    assert math.sqrt(sum(value**2 for value in noise) / ROWS) == pytest.approx(NOISE, rel=0.1)


@pytest.mark.parametrize("task", [task for task in TASKS if TASKS[task]["kind"] == "classification"])
def test_classes_follow_the_traits_as_often_as_the_ceiling_says(task):
    by_score = {}
    for row in rows_of(task):
        by_score.setdefault(round(noiseless_score(task, row), 6), Counter())[row[label_column(task)]] += 1
    share = sum(max(counts.values()) for counts in by_score.values()) / ROWS
    assert share == pytest.approx(ceiling(TASKS[task]), abs=0.06)


def test_correlation_of_noiseless_scores_is_the_planted_relatedness():
    rows = generate(rows=2000, seed=3)["demo_notes"]
    scores = {task: [noiseless_score(task, row) for row in rows] for task in TASKS}
    for first, second in combinations(TASKS, 2):
        assert correlation(scores[first], scores[second]) == pytest.approx(relatedness(first, second), abs=0.08)


def test_truth_tells_weights_cosines_and_expectations():
    truth = json.loads(json.dumps(planted_truth(rows=ROWS, seed=1)))
    weights, cosines = truth["weights"], truth["cosines"]
    assert list(weights) == list(cosines) == list(TASKS)
    for first in TASKS:
        assert list(weights[first]) == list(TRAITS)
        assert sum(weight**2 for weight in weights[first].values()) == pytest.approx(1)
        for second in TASKS:
            product = sum(weights[first][trait] * weights[second][trait] for trait in TRAITS)
            assert cosines[first][second] == pytest.approx(product, abs=1e-4)
    # Worked out by hand: (0.9 * 0.8 + 0.4 * 0.6) / sqrt(0.97).
    assert cosines["letters_concern"]["replies_empathy"] == pytest.approx(0.9747, abs=1e-4)
    expected = truth["expected"]
    assert expected["letters_concern"]["replies_empathy"] == "gain"
    assert expected["letters_concern"]["replies_support"] == "little"
    assert expected["letters_concern"]["letters_hope"] == "none"


def test_each_theme_has_two_related_tasks_and_each_task_a_source_that_should_not_help():
    expected = planted_truth(rows=ROWS, seed=1)["expected"]
    for first in TASKS:
        gains = [second for second in expected[first] if expected[second][first] == "gain"]
        assert [TASKS[source]["theme"] for source in gains] == [TASKS[first]["theme"]]
        assert any(expected[source][first] != "gain" for source in expected[first])
    assert Counter(task["theme"] for task in TASKS.values()) == {"direct": 2, "abstract": 2, "adjacent": 2}


def test_dataset_files_describe_what_is_generated(request):
    folder = request.config.rootpath / "config" / "datasets_demo"
    assert {path.stem for path in folder.glob("*.yaml")} == set(DATASETS)
    described = {}
    for dataset, form in DATASETS.items():
        file = yaml.safe_load((folder / f"{dataset}.yaml").read_text(encoding="utf-8"))
        assert file["folder"] == dataset
        assert file["columns"]["group"] == form["group"]
        assert (file["context"] == "paired") == bool(form["context"]) == ("context" in file["columns"])
        described |= {name: (dataset, task) for name, task in file["tasks"].items()}
    assert set(described) == set(TASKS)
    for name, (dataset, task) in described.items():
        planted = TASKS[name]
        assert (dataset, task["theme"], task["kind"]) == (planted["dataset"], planted["theme"], planted["kind"])
        assert task["label"] == label_column(name)
        assert task.get("labels") == planted.get("labels")
        assert task["kind"] == "classification" or tuple(task["range"]) == RANGE


def test_construct_ratings_agree_with_the_themes(request):
    """Mean ratings: direct above 3.5, abstract 3.17 to 3.5, adjacent below."""
    lines = (request.config.rootpath / "resources" / "ratings_demo.csv").read_text(encoding="utf-8").split()
    assert lines[0] == "task,aspect,annotator,score"
    cells = [line.split(",") for line in lines[1:]]
    assert {tuple(cell[:3]) for cell in cells} == {
        (task, aspect, annotator)
        for task in TASKS
        for aspect in ("definition", "link", "conduciveness")
        for annotator in "AB"
    }
    for task, planted in TASKS.items():
        scores = [int(cell[3]) for cell in cells if cell[0] == task]
        mean = sum(scores) / len(scores)
        theme = "direct" if mean > 3.5 else "adjacent" if mean < 3.165 else "abstract"
        assert theme == planted["theme"]


def test_files_hold_the_rows_and_the_truth(tmp_path):
    for folder in ("first", "second"):
        tables = {dataset: tmp_path / folder / dataset / "rows.csv" for dataset in DATASETS}
        write_demo(tables, tmp_path / folder / "truth.json", rows=30, seed=1)
    pandas = pytest.importorskip("pandas")
    for dataset in DATASETS:
        path = tmp_path / "first" / dataset / "rows.csv"
        assert path.read_bytes() == (tmp_path / "second" / dataset / "rows.csv").read_bytes()
        assert pandas.read_csv(path).to_dict("records") == DATA[dataset][:30]
    assert json.loads((tmp_path / "first" / "truth.json").read_text(encoding="utf-8")) == planted_truth(30, 1)


def test_cosines_leave_room_between_gain_and_little():
    values = sorted(abs(relatedness(*pair)) for pair in combinations(TASKS, 2))
    assert max(high - low for low, high in pairwise(values)) > 0.3
