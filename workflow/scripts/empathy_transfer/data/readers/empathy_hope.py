"""Empathy Hope: supportive and other tweets, with texts that the user has looked up."""

from empathy_transfer.data.lost_rows import tell_lost_rows
from empathy_transfer.data.readers.common import (
    context_policy,
    named_file,
    ordered_columns,
    read_delimited,
    refuse,
    text_key,
)
from empathy_transfer.data.texts import is_blank
from empathy_transfer.errors import DataError

LABELS = "supportive_annotation.csv"
TEXTS = "tweets.csv"


def read(files, form, task):
    """Read the labels of all tweets that have a text; label column `gold_label`, in lower case.

    `tweets.csv` has the columns `tweet_id` and `text`. Equal texts (copied tweets) share a group. Raises DataError if
    an id has two texts or no id has one.
    """
    context_policy(form, task, ["none"])
    labels = read_delimited(named_file(files, LABELS), ["tweet_id", "gold_label"], quote="double")
    texts = read_delimited(named_file(files, TEXTS), ["tweet_id", "text"], quote="double")
    refuse(texts, texts["tweet_id"].duplicated(), "tweet_id", "{} stands there twice. Keep one of them.")
    text_of = dict(zip(texts["tweet_id"], texts["text"], strict=True))
    found = [not is_blank(text_of.get(tweet_id, "")) for tweet_id in labels["tweet_id"]]
    frame = labels[found]
    if not len(frame):
        raise DataError(
            f"{TEXTS}: no text for any id of {LABELS}. Compare the ids: programs that read them as numbers round them."
        )
    allowed = form.get("max_lost")
    unknown = int((~texts["tweet_id"].isin(labels["tweet_id"])).sum())
    tell_lost_rows(TEXTS, unknown, len(texts), f"their id is not in {LABELS}", allowed)
    tell_lost_rows(LABELS, len(labels) - len(frame), len(labels), f"{TEXTS} has no text for their id", allowed)
    return ordered_columns(
        frame.assign(
            id=frame["tweet_id"],
            group=["tweet:" + text_key(text_of[tweet_id]) for tweet_id in frame["tweet_id"]],
            context=None,
            text=frame["tweet_id"].map(text_of),
            gold_label=frame["gold_label"].str.strip().str.lower(),
        ),
        ["gold_label"],
    )
