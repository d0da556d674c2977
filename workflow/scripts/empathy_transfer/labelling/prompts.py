"""Prompts as Jinja2 templates: rendered in a sandbox, with the text of a dataset only ever as the value of a variable.

A template has the blocks `system` and `user` and says by `{% set answer = "items" %}` or `"overall"` what is asked for.
`{% set reasoning = true %}` asks for sentences before the scores. An unknown variable is an error, not an empty text.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import jinja2.meta
import jinja2.nodes
import jinja2.sandbox

from empathy_transfer.errors import DataError
from empathy_transfer.records.files import sha256_bytes

ANSWERS = ("items", "overall")
BLOCKS = ("system", "user")
KNOWN = {"scale", "overall", "text", "fence", "writer"}
WRITER = ("gender", "education", "race", "age", "income")


@dataclass(frozen=True)
class Prompt:
    """A prompt: its name, what it asks for, what it tells of writer and label, and a digest of its template."""

    name: str
    answer: str
    reasoning: bool
    about_writer: bool
    about_overall: bool
    digest: str
    template: jinja2.Template = field(repr=False, compare=False)

    def messages(self, scale, text, writer=None):
        """The chat messages that ask for a text's scores.

        Args:
            scale: the scale.
            text: the text; whatever it holds, it ends where its fence of back-ticks ends, and no tag in it is run.
            writer: {column: number, text or None} about the writer, for templates that say it.
        """
        low, high = scale.label_range
        told = scale.for_prompts()
        numbers = [int(value) if float(value).is_integer() else value for value in (low, high)]
        context = {
            "scale": told,
            "overall": {"low": numbers[0], "high": numbers[1], "step": told["step"]},
            "text": text,
            "fence": fence(text),
            "writer": {name: (writer or {}).get(name) for name in WRITER},
        }
        try:
            rendered = {
                block: "".join(self.template.blocks[block](self.template.new_context(context))) for block in BLOCKS
            }
        except jinja2.TemplateError as error:
            raise DataError(f"prompt {self.name}: {error}. A template may use {', '.join(sorted(KNOWN))}.") from None
        return [{"role": block, "content": content.strip()} for block, content in rendered.items()]


def read_prompt(path):
    """Read a template; its file name is the name of the prompt.

    Raises:
        DataError: it is no template, lacks a block or the text, doesn't say what it asks for, or uses what isn't there.
    """
    path = Path(path)
    source = path.read_text(encoding="utf-8")
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    try:
        tree = environment.parse(source)
        template = environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise DataError(f"{path}, line {error.lineno}: {error.message}.") from None
    if list(jinja2.meta.find_referenced_templates(tree)):
        raise DataError(f"{path}: a template stands alone: it can't include, import or extend another file.")
    if missing := [block for block in BLOCKS if block not in template.blocks]:
        raise DataError(f"{path}: the block '{missing[0]}' is missing: write {{% block {missing[0]} %}}.")
    used = jinja2.meta.find_undeclared_variables(tree)
    if unknown := sorted(used - KNOWN):
        raise DataError(f"{path}: unknown variable '{unknown[0]}'. A template may use {', '.join(sorted(KNOWN))}.")
    if not {"text", "fence"} <= used:
        raise DataError(
            f"{path}: the text must stand between fences: {{{{ fence }}}}, {{{{ text }}}}, {{{{ fence }}}}."
        )
    settings = _constants(tree)
    if settings.get("answer") not in ANSWERS:
        raise DataError(f'{path}: say what is asked for: {{% set answer = "items" %}} or "overall".')
    return Prompt(
        name=path.stem,
        answer=settings["answer"],
        reasoning=bool(settings.get("reasoning", False)),
        about_writer="writer" in used,
        about_overall="overall" in used or settings["answer"] == "overall",
        digest=sha256_bytes(source.encode())[:16],
        template=template,
    )


def fence(text):
    """A line of back-ticks that the text does not hold: three, or one more than its longest run of them."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(3, longest + 1)


def _constants(tree):
    """The constants that a template sets outside of its blocks."""
    return {
        node.target.name: node.node.value
        for node in tree.body
        if isinstance(node, jinja2.nodes.Assign)
        and isinstance(node.target, jinja2.nodes.Name)
        and isinstance(node.node, jinja2.nodes.Const)
    }
