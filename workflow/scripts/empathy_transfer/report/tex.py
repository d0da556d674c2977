"""Text in LaTeX."""

SPECIAL = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "\\": "\\textbackslash{}",
    "†": "\\dag{}",
    "‡": "\\ddag{}",
    "§": "\\S{}",
}


def tex_text(text):
    """Text with the characters that LaTeX reads as commands escaped."""
    return "".join(SPECIAL.get(character, character) for character in text)
