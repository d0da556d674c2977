"""What the audit of leakage found, as tables for the analysis and a short page (job of rule report_leakage)."""

from empathy_transfer.leakage.seen import EITHER
from empathy_transfer.records.artefacts import read_csv, write_csv, write_text
from empathy_transfer.report.templates import render

LEAKED_MARK = "‡"
LEAKED_REASON = "training or validation items of the source touch test items of the target (analysis/leaked_pairs.csv)"
PAIR_COLUMNS = ["source", "target", "n_test", "n_touched", "share", "n_touched_by_validation", "removed", "leaked"]
READ = {"dtype": {"field": str, "example_targets": str, "example_sources": str, "n_touched_informative": "Int64"}}
LARGEST = 10


def report_leakage(pairs_path, within_path, touched_paths, settings, outputs):
    """Write the tables with their flags, and the page.

    Args:
        pairs_path, within_path: what the audit found between tasks and within them.
        touched_paths: {task: its training rows that touch held-out rows}.
        settings: the config's block `leakage`. A pair is flagged if its source's training or validation items touch
            more than `flagged_share` of the target's test items; with `strict` the training items have been removed,
            and the validation items decide alone.
        outputs: paths `leakage`, `within`, `leaked_pairs` and `page`.
    """
    pairs, within = (read_csv(path, **READ) for path in (pairs_path, within_path))
    touched = {task: len(read_csv(path, dtype=str)) for task, path in touched_paths.items()}
    leaked = leaked_pairs(pairs, within, settings)
    write_csv(outputs["leakage"], flagged(pairs, settings))
    write_csv(outputs["within"], flagged(within, settings))
    write_csv(outputs["leaked_pairs"], leaked)
    write_text(outputs["page"], as_page(pairs, within, leaked, touched, settings))
    print(f"{int(leaked['leaked'].sum())} of {len(leaked)} pairs are flagged")


def flagged(overlaps, settings):
    """The table with a column `flagged`: whether the share is above the configured one."""
    return overlaps.assign(flagged=overlaps["share"] > settings["flagged_share"])


def leaked_pairs(pairs, within, settings):
    """One row per source and target, source = target within a task, in a frame with the columns ``PAIR_COLUMNS``."""
    import pandas

    both = pandas.concat([within, pairs], ignore_index=True)
    rows = both[(both["kind"] == "counted") & (both["target_split"] == "test")]
    watched = rows.loc[rows["source_split"] == "validation", ["source", "target", "n_touched"]]
    watched = watched.rename(columns={"n_touched": "n_touched_by_validation"})
    rows = rows[rows["source_split"] == EITHER].rename(columns={"n_items": "n_test"})
    rows = rows.merge(watched, on=["source", "target"], validate="one_to_one")
    share = rows["n_touched_by_validation"] / rows["n_test"] if settings["strict"] else rows["share"]
    return rows.assign(removed=settings["strict"], leaked=share > settings["flagged_share"])[PAIR_COLUMNS]


def read_leaked(path):
    """The flagged pairs as a set of (source, target), source = target where a task's own items leak.

    Without a path there are none.
    """
    if not path:
        return frozenset()
    frame = read_csv(path)
    leaked = frame[frame["leaked"].astype(bool)]
    return frozenset(zip(leaked["source"], leaked["target"], strict=True))


def as_page(pairs, within, leaked, touched, settings):
    """The page as Markdown. It holds names of tasks and numbers only, so that it is safe as HTML."""
    between = leaked[leaked["source"] != leaked["target"]]
    touching = between[between["n_touched"] > 0]
    largest = touching.sort_values("share", ascending=False, kind="stable").head(LARGEST)
    return render(
        __file__,
        settings=settings,
        ordered_pairs=len(between),
        touching=len(touching),
        above=(between["share"] > settings["flagged_share"]).sum(),
        largest=[
            (*row[:4], _percent(row.share), row.n_touched_by_validation)
            for row in largest[PAIR_COLUMNS].itertuples(index=False)
        ],
        between_tasks=by_kind(pairs),
        within_tasks=by_kind(within),
        touched=touched,
    )


def by_kind(overlaps):
    """Rows (kind, field, pairs, pairs with any, median share, largest share) over training and test items."""
    chosen = overlaps[(overlaps["source_split"] == "train") & (overlaps["target_split"] == "test")]
    table = []
    for (kind, field), rows in chosen.groupby(["kind", "field"], sort=False):
        shares = _percent(rows["share"].median()), _percent(rows["share"].max())
        table.append((kind, field, len(rows), int((rows["n_touched"] > 0).sum()), *shares))
    return table


def _percent(share):
    """A share in percent."""
    return f"{100 * share:.1f} %"
