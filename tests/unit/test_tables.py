"""Tables of scores: which cell is the baseline, the best, blank or collapsed, and how each format writes it."""

import csv
import html.parser
import io

import pytest
from test_scores import TASKS, make_run, write_study

from empathy_transfer.scores.improvement import collect_scores, percent_improvement
from empathy_transfer.scores.tables import as_csv, as_html, as_tex, score_table, tabulate_scores, targets_of

RUNS = [
    make_run("none", "a", 0.501),
    make_run("b", "a", 0.504),
    make_run("r", "a", 0.21, constant_prediction=True),
    make_run("none", "b", 0.7),
]


@pytest.fixture
def frames():
    scores = collect_scores(RUNS, TASKS, {}, [1], ["full"], failed={("a", "b", "full", 1)})
    return scores, percent_improvement(scores, RUNS)


def test_table_of_classification_targets(frames):
    rows = score_table(*frames, TASKS, "classification", "full")
    assert targets_of(TASKS, "classification") == ["a", "b"]
    assert list(rows) == ["a", "b", "r", "floor"]
    own, transferred, collapsed = rows["a"][0], rows["b"][0], rows["r"][0]
    assert (own.text, own.baseline, own.best) == ("0.50", True, False)
    assert (transferred.text, transferred.baseline, transferred.best) == ("0.50", False, True)
    assert (collapsed.text, collapsed.marks) == ("0.21", ("collapsed",))
    assert (rows["a"][1].text, rows["a"][1].blank) == ("failed", True)
    assert (rows["b"][1].best, rows["b"][1].baseline) == (True, True)
    assert rows["r"][1].text == "not_run"
    assert [entry.text for entry in rows["floor"]] == ["0.20", "0.20"]


def test_the_human_ceiling_stands_below_the_floor_where_raters_are_known(frames):
    rows = score_table(*frames, TASKS, "classification", "full", ceilings={"b": 0.875, "a": float("nan"), "r": 0.9})
    assert list(rows)[-2:] == ["floor", "ceiling"]
    assert [entry.text for entry in rows["ceiling"]] == ["no_ratings", "0.88"]
    page = as_html(rows, ["a", "b"], TASKS, "classification", "full")
    assert "Human ceiling: what the raters of a task leave room for" in page
    # A regression's ceiling is no reason for a row in this table.
    assert "ceiling" not in score_table(*frames, TASKS, "classification", "full", ceilings={"r": 0.9})


def test_ties_are_all_best():
    runs = [make_run("none", "a", 0.5), make_run("b", "a", 0.5)]
    scores = collect_scores(runs, TASKS, {}, [1], ["full"])
    rows = score_table(scores, percent_improvement(scores, runs), TASKS, "classification", "full")
    assert rows["a"][0].best
    assert rows["b"][0].best


def test_the_best_is_told_on_the_seeds_that_a_cell_shares_with_its_baseline():
    """Baseline .50 and .70, transfer .55 of the first seed alone: 10 percent better where both have run."""
    runs = [make_run("none", "a", 0.5), make_run("none", "a", 0.7, seed=2), make_run("b", "a", 0.55)]
    runs += [make_run("r", "a", 0.49), make_run("r", "a", 0.71, seed=2)]
    scores = collect_scores(runs, TASKS, {}, [1, 2], ["full"])
    improvement = percent_improvement(scores, runs)
    assert improvement.set_index(["source", "target"]).loc[("b", "a"), "percent"] == pytest.approx(10)
    rows = score_table(scores, improvement, TASKS, "classification", "full")
    found = {source: (rows[source][0].text, rows[source][0].best, rows[source][0].marks) for source in "abr"}
    assert found == {"a": ("0.60", False, ()), "b": ("0.55", True, ("fewer seeds",)), "r": ("0.60", False, ())}
    table = list(csv.reader(io.StringIO(as_csv(rows, ["a", "b"], "classification"))))
    assert table[2][1] == "0.55 (fewer seeds)"
    page = as_html(rows, ["a", "b"], TASKS, "classification", "full")
    assert "<b>0.55</b><sup>§</sup>" in page
    assert "§: mean over fewer seeds than the study has." in page
    text = as_tex(rows, ["a", "b"], TASKS, "classification", "full")
    assert "\\textbf{0.55}\\textsuperscript{\\S{}}" in text
    # A seed that the baseline lacks says nothing about it; without any baseline the largest mean is best.
    runs = [
        make_run("none", "a", 0.5),
        make_run("b", "a", 0.9, seed=2),
        make_run("a", "b", 0.6),
        make_run("r", "b", 0.7),
    ]
    scores = collect_scores(runs, TASKS, {}, [1, 2], ["full"])
    rows = score_table(scores, percent_improvement(scores, runs), TASKS, "classification", "full")
    assert [[cell.best for cell in rows[source]] for source in "abr"] == [[True, False], [False, False], [False, True]]


def test_csv_holds_numbers_and_reasons(frames):
    rows = score_table(*frames, TASKS, "classification", "full")
    table = list(csv.reader(io.StringIO(as_csv(rows, ["a", "b"], "classification"))))
    assert table[0] == ["source", "a", "b"]
    assert table[1] == ["a", "0.50", "failed"]
    assert table[3] == ["r", "0.21 (collapsed)", "not_run"]


def test_leaked_cells_are_marked_beside_collapsed_ones(frames):
    rows = score_table(*frames, TASKS, "classification", "full", leaked={("r", "a"), ("b", "b"), ("a", "b")})
    marked = [
        (source, place) for source, cells in rows.items() for place, cell in enumerate(cells) if "leaked" in cell.marks
    ]
    assert marked == [("b", 1), ("r", 0)]  # the blank cell from a to b has no number to mark
    table = list(csv.reader(io.StringIO(as_csv(rows, ["a", "b"], "classification"))))
    assert table[3] == ["r", "0.21 (collapsed, leaked)", "not_run"]
    assert table[2][2] == "0.70 (leaked)"
    page = as_html(rows, ["a", "b"], TASKS, "classification", "full")
    assert "0.21<sup>†‡</sup>" in page
    assert "‡: training or validation items of the source touch test items of the target" in page
    text = as_tex(rows, ["a", "b"], TASKS, "classification", "full")
    assert "0.21\\textsuperscript{\\dag{}\\ddag{}}" in text
    assert "\\ddag{}: training or validation items" in text
    assert "‡" not in as_html(score_table(*frames, TASKS, "classification", "full"), ["a"], TASKS, "regression", "full")


def test_html_is_well_formed_and_escaped(frames):
    class Reader(html.parser.HTMLParser):
        """Check that tags close in order, and keep the text."""

        def __init__(self):
            super().__init__()
            self.open, self.text = [], ""

        def handle_starttag(self, tag, attrs):
            if tag != "meta":
                self.open.append(tag)
            assert not {"src", "href"} & {name for name, _ in attrs}  # self-contained

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

        def handle_data(self, data):
            self.text += data

    tasks = TASKS | {"a": TASKS["a"] | {"title": "A <b>&"}}
    rows = score_table(*frames, tasks, "classification", "full")
    reader = Reader()
    reader.feed(as_html(rows, ["a", "b"], tasks, "classification", "full"))
    assert reader.open == []
    assert "A <b>&" in reader.text
    assert "failed: the run failed" in reader.text
    assert "collapsed" in reader.text


def test_tex_is_escaped_and_has_a_cell_per_column(frames):
    tasks = TASKS | {"a": TASKS["a"] | {"title": "A & 100%_"}}
    rows = score_table(*frames, tasks, "classification", "full")
    text = as_tex(rows, ["a", "b"], tasks, "classification", "full")
    assert "A \\& 100\\%\\_ & \\underline{0.50} & \\tiny failed \\\\" in text
    assert "\\underline{\\textbf{0.70}}" in text
    assert "0.21\\textsuperscript{\\dag{}}" in text
    for command in ("\\toprule", "\\bottomrule", "\\end{table}"):
        assert command in text


def test_a_study_without_targets_of_a_kind_says_so(tmp_path):
    files = write_study(tmp_path, RUNS)
    tasks = {task: TASKS[task] for task in ("a", "b")}
    paths = [tmp_path / f"table.{suffix}" for suffix in ("csv", "html", "tex")]
    tabulate_scores(files["scores"], files["improvement"], tasks, "regression", "half", *paths)
    for path in paths:
        assert "no regression tasks in this study" in path.read_text()
