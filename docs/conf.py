"""How the site is built: `nox -s docs`, into `docs/_build`."""

import re

from sphinx.application import Sphinx

from picoworkers_async import __version__

project = "picoworkers_async"
author = "The authors of picoworkers_async"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinx_copybutton"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"picoworkers_async {release}"
html_copy_source = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# In docstrings, `names` are code, as in the Markdown of the pages.
default_role = "code"
autoclass_content = "class"
autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
copybutton_exclude = ".linenos, .gp, .go"


def lead_to_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let links to files outside this folder, which code hosts can follow, lead to the pages that show them."""
    text = re.sub(r"\]\((?:\.\./)+examples/README\.md\)", "](/examples.md)", source[0])
    text = re.sub(r"\]\((?:\.\./)+examples/(\w+)/README\.md\)", r"](/examples.md#\1)", text)
    source[0] = re.sub(r"\]\((?:\.\./)+benchmarks/results\.md\)", "](/results.md)", text)


def tables_of_docstrings(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Make tables of those in docstrings, which are written as in Markdown and read as reStructuredText."""
    rewritten: list[str] = []
    for line, before in zip(lines, ["", *lines], strict=False):
        if not line.startswith("| ") or line.startswith("| --- |"):
            rewritten += [] if line.startswith("| --- |") else [line]
            continue
        if not before.startswith("| "):
            rewritten += [".. list-table::", "   :header-rows: 1", ""]
        first, *others = (cell.strip() for cell in line.strip(" |").split(" | "))
        rewritten += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    lines[:] = rewritten


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", tables_of_docstrings)
    app.connect("source-read", lead_to_pages)
