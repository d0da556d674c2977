"""What can be seen of a text: blank ones, ones that look alike, and ones that no file can hold."""

import re
import unicodedata

# Letters and symbols by their category, but drawn as nothing: fillers of Hangul, and the braille pattern without dots.
_DRAWN_AS_NOTHING = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_SURROGATE = re.compile("[\ud800-\udfff]")


def is_blank(text: str) -> bool:
    """Whether a text has nothing to see: only white space, control and zero-width characters, or marks upon nothing."""
    return not any(map(_is_seen, text))


def spacing_key(text: str) -> str:
    """Return a key that is equal for texts that differ only in spacing, invisible characters or Unicode's spelling."""
    kept = (character for character in unicodedata.normalize("NFC", text) if not _is_invisible(character))
    return " ".join("".join(kept).split())


def name_in_pool(group: object) -> object:
    """Return what a file says of a group: its id without the pool that a reader puts before it."""
    _, colon, name = str(group).partition(":")
    return name if colon else group


def group_key(group: str) -> str:
    """Return a key that is equal for groups of one pool whose names look alike (see `spacing_key`)."""
    name = name_in_pool(group)
    return group.removesuffix(name) + spacing_key(name)


def is_broken(text: str) -> bool:
    """Whether a text holds half of a surrogate pair, which is no character and can't be stored."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def _is_seen(character):
    """Whether a character leaves a mark of its own. Unassigned ones do: they may be newer than this Python."""
    return not (character.isspace() or _is_invisible(character) or unicodedata.category(character)[0] in "ZM")


def _is_invisible(character):
    """Whether a character takes no room and leaves no mark, or is drawn as nothing; white space is neither."""
    if character.isspace():
        return False
    return unicodedata.category(character) in ("Cc", "Cf") or character in _DRAWN_AS_NOTHING
