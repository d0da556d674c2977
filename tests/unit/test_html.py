"""Pages of tables: every text that they are given is escaped."""

import html.parser

from empathy_transfer.report.html import Cell, Row, Table, page

NASTY = "<script>alert('&\"')</script>{{ 1 + 1 }}"


class Reader(html.parser.HTMLParser):
    """Check that tags close in order, and keep the tags with their attributes and the texts."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())


def test_every_text_is_escaped():
    row = Row([Cell(NASTY, NASTY, bold=True, underlined=True, mark=NASTY)], Cell(NASTY, mark=NASTY), NASTY)
    reader = Reader(page(NASTY, [Table(NASTY, [Cell(NASTY, NASTY)], [row, Row([], Cell(NASTY))], [NASTY])]))
    # The title twice, caption, head, the row's head and its mark, the cell and its mark, the group's head, the note.
    assert reader.texts.count(NASTY) == 10
    assert [attrs["class"] for _, attrs in reader.tags if "class" in attrs] == [NASTY, NASTY, NASTY, "legend"]
    assert not {"script"} & {tag for tag, _ in reader.tags}
    assert Reader(page(NASTY, [], NASTY)).texts.count(NASTY) == 3


def test_a_head_alone_heads_the_rows_below_it():
    heads = [Cell("task"), Cell("a"), Cell("b")]
    reader = Reader(
        page("t", [Table("c", heads, [Row([], Cell("theme")), Row([Cell("1"), Cell("2")], Cell("x"))], [])])
    )
    of_rows = [attrs for tag, attrs in reader.tags if tag == "th"][len(heads) :]
    assert of_rows == [{"scope": "rowgroup", "colspan": "3"}, {"scope": "row"}]


def test_a_page_needs_nothing_else():
    for _, attrs in Reader(page("t", [])).tags:
        assert not {"src", "href"} & set(attrs)
