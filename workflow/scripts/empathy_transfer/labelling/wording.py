"""Words from servers, made fit for messages and logs: short, on one line, without pieces of the texts or the key."""

import re
import unicodedata

HIDDEN = "[key]"
MESSAGE_LENGTH = 300
READ = 4000  # characters of a message that are looked at
QUOTE = 16  # letters in common with a text from which on words quote it
KEY_PIECE = 8  # characters of a key that give it away


def printable_line(text, length):
    """Text from elsewhere on one line of at most so many characters, without what does not print."""
    kept = (character if character.isprintable() else " " for character in str(text)[: length * 4])
    return " ".join("".join(kept).split())[:length]


def quotes(said, text):
    """Whether words hold a piece of a text, whatever its case, its punctuation, and how line breaks are written."""
    said, text = _letters(said), _letters(text)
    if len(text) <= QUOTE:
        return bool(text) and text in said
    pieces = {said[start : start + QUOTE] for start in range(len(said) - QUOTE + 1)}
    return any(text[start : start + QUOTE] in pieces for start in range(len(text) - QUOTE + 1))


def safe_name(name, text, key):
    """A name that a server gives, None where it quotes the text that was asked about or a piece of the key."""
    return None if name is None or quotes(name, text) or _gives_away(name, key) else name


def told_fault(fault, text, key):
    """A server's fault in one line, and its message alone, which is empty where it can't be shown.

    Args:
        fault: a `Fault`. text: the text that was asked about. key: the key that was sent, or an empty text.
    """
    status = f"status {fault.status}" + (" (a redirect, which is not followed)" if 300 <= fault.status < 400 else "")
    codes = [code for code in fault.codes if not (quotes(code, text) or _gives_away(code, key))]
    if codes:
        status += f" ({codes[0]})"
    message = printable_line(fault.message, READ)
    message = message.replace(key, HIDDEN) if key else message
    if not message:
        return status, ""
    if quotes(message, text):
        return f"{status}; its message quotes the request", ""
    if _gives_away(message, key):
        return f"{status}; its message holds a piece of the key", ""
    return f"{status}: {message[:MESSAGE_LENGTH]}", message


def _gives_away(said, key):
    """Whether words hold a piece of the key."""
    return any(key[start : start + KEY_PIECE] in said for start in range(max(0, len(key) - KEY_PIECE + 1)))


def _letters(text):
    """The letters and digits of a text in lower case, with JSON's escapes undone."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), str(text))
    text = re.sub(r"\\[nrt]", " ", text)
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
