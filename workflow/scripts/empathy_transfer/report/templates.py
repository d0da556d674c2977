"""Pages made by the template beside the module that knows what stands in them: `<module>.j2`."""

from pathlib import Path

from empathy_transfer.report.markdown import markdown_table


def render(module, escape=False, **values):
    """The page that the template of a module, named by its `__file__`, makes of values; for HTML all texts are escaped.

    Templates of Markdown have a function `table`, see `markdown_table`.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=escape, trim_blocks=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    template = environment.from_string(Path(module).with_suffix(".j2").read_text(encoding="utf-8"))
    return template.render(table=lambda *parts, **options: "\n".join(markdown_table(*parts, **options)), **values)
