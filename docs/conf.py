"""How the site is built: `nox -s docs`, into `docs/_build`."""

import inspect
import re
import sys
import typing
from typing import Any

import attrs
from sphinx.application import Sphinx
from sphinx.util.inspect import object_description

from picoworkers_async import AsyncPicoworkers, __version__

project = "picoworkers_async"
author = "The authors of picoworkers_async"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinx_copybutton"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"picoworkers_\u200basync {release}"  # a line may break there
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


# Where the defaults of options are that a signature names as a whole.
DEFAULTS: dict[str, Any] = {
    "ClientKeywords": AsyncPicoworkers.__init__,
    "RateKeywords": AsyncPicoworkers.rate,
    "ReviewKeywords": AsyncPicoworkers.review,
    "FollowKeywords": AsyncPicoworkers.review,
}
LONGEST_DEFAULT = 40


def show_defaults(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None] | None:
    """Defaults as values: attrs has them under names of its own, and our functions under those of constants."""
    if signature is None:
        return None
    signature = with_numbers(signature, obj)
    if not (isinstance(obj, type) and attrs.has(obj)):
        return signature, returns
    fields = attrs.fields_dict(obj)
    signature = re.sub(
        r"attr_dict\['(\w+)'\]\.default", lambda found: object_description(fields[found[1]].default), signature
    )
    return signature.replace("NOTHING", "..."), returns


def with_numbers(signature: str, obj: Any) -> str:
    """The signature with the numbers for the constants that are defaults."""
    known = vars(sys.modules[obj.__module__]) if getattr(obj, "__module__", None) in sys.modules else {}

    def number(found: re.Match[str]) -> str:
        value = known.get(found[1])
        return f"= {value!r}" if type(value) in (int, float) else found[0]

    return re.sub(r"= ([A-Z][A-Z_]+)\b", number, signature)


def list_options(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Each option of a signature that names them as a whole, with its type and default."""
    if what != "method":
        return
    functions = [obj, *typing.get_overloads(getattr(obj, "__func__", obj))]
    named = {
        found[1] for one in functions if (found := re.search(r"Unpack\[(\w+)\]", str(inspect.signature(one))))
    }
    for group in named:
        keywords = vars(sys.modules[obj.__module__])[group]
        parameters = inspect.signature(DEFAULTS[group]).parameters if group in DEFAULTS else {}
        lines += ["", "Options:", ""]
        for option, kind in keywords.__annotations__.items():
            shown = f"{option}: {getattr(kind, '__forward_arg__', kind)}"
            if option in parameters:
                default = with_numbers(f"= {parameters[option].default!r}", DEFAULTS[group])[2:]
                shown += f" = {default if len(default) <= LONGEST_DEFAULT else '...'}"
            lines.append(f"- ``{shown}``")
        lines.append("")


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
    app.connect("autodoc-process-signature", show_defaults)
    app.connect("autodoc-process-docstring", list_options)
    app.connect("autodoc-process-docstring", tables_of_docstrings)
    app.connect("source-read", lead_to_pages)
