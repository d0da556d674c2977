"""Blank texts, texts that look alike, and what messages may quote."""

import pytest

from empathy_transfer.data.texts import is_blank, is_broken, spacing_key
from empathy_transfer.errors import shown, shown_names


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\t\r",
        "\0",
        "\0\0",
        "\u200b",
        "\u200d\ufeff",
        "\u00ad",
        "\u2060 \u00a0",
        "\u3164",
        "\u2800",
        "\ufe0f",
        "\u2028",
    ],
)
def test_nothing_can_be_seen(text):
    assert is_blank(text)
    assert not is_blank(f"{text}a{text}")


@pytest.mark.parametrize("text", ["a", "0", "?", "\u4f60", "\U0001f600", "\u0301e", "\U0001fae9", "-", "\u0915\u093f"])
def test_something_can_be_seen(text):
    assert not is_blank(text)


@pytest.mark.parametrize("other", ["w1 ", " w1", "w1\t", "w1\u00a0", "w1\u200b", "\ufeffw1", "w\u00ad1", "w1\0"])
def test_ids_that_look_alike_have_one_key(other):
    assert spacing_key(other) == spacing_key("w1")


@pytest.mark.parametrize("other", ["w2", "W1", "w 1", "w11", "w\u0131", "w1\u0301"])
def test_ids_that_look_different_have_keys_of_their_own(other):
    assert spacing_key(other) != spacing_key("w1")


def test_spellings_of_unicode_have_one_key():
    assert spacing_key("e\u0301") == spacing_key("\u00e9")


def test_half_of_a_character():
    assert [is_broken(text) for text in ("a", "\u00e9", "\U0001f600", "\ud83d", "a\udc00b")] == [False] * 3 + [True] * 2


LABELS = ["glad", "sad", "glda", "sad", "glad", "glad"]


@pytest.mark.parametrize(
    ("value", "column", "quoted"),
    [
        ("glda", LABELS, True),
        ("glda", LABELS[:3], False),  # each its own: these may be short texts
        ("glda", [*LABELS, *["x" * 41] * 6], False),
        ("glda", (), False),
        ("12", (), True),
        ("-3,5", (), True),
        ("", (), True),
        ("I am sad", [f"text {row}" for row in range(60)], False),
        ("I am sad", [f"text {row}" for row in range(60)] * 2, False),  # twice each, but too many
    ],
)
def test_only_numbers_and_labels_are_quoted(value, column, quoted):
    assert (repr(value) in shown(value, column)) is quoted
    assert quoted or value not in shown(value, column)


def test_names_of_columns_are_quoted_unless_they_may_be_texts():
    assert shown_names(["id", "my text", "I have not told anybody"]) == "'id', 'my text', a name of 23 characters"
