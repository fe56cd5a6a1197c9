"""A board as a page: whole and usable without a script, with the hooks by which the script keeps it up to date."""

from __future__ import annotations

from datetime import datetime

from . import html
from .board import Board, Column, Control, Row, Rows, Snapshot, Table
from .html import Element, Node, element
from .plot import drawing


def whole(board: Board, snapshot: Snapshot, form_token: str, page: int, prefix: str, said: str = "") -> bytes:
    """The page. `said` is shown at its top, as the result of the last form."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", board.title),
        element("link", rel="stylesheet", href=f"{prefix}console.css"),
        element("script", src=f"{prefix}console.js", defer=True),
    )
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    top = element(
        "header",
        element("h1", board.title),
        element("p", f"As of {now}; reload for what is new.", id="live"),
        element("p", said, id="said", role="status"),
    )
    numbers = element(
        "dl",
        *(
            element("div", element("dt", label), element("dd", snapshot.numbers.get(name, ""), data_number=name))
            for name, label in board.numbers
        ),
    )
    sections = [
        _section("Now", numbers, "now"),
        _section(board.plot_title, _figure(board, snapshot), "plot"),
        *(_table(board, table, snapshot.tables[table.name], form_token, page) for table in board.tables),
    ]
    body = element("body", top, element("main", *sections), data_events=f"{prefix}events?page={page}")
    return html.page(head, body)


def message(title: str, text: str, link: str | None = "/") -> bytes:
    """A page that says one thing."""
    head = element("head", element("meta", charset="utf-8"), element("title", title))
    parts: list[Node] = [element("h1", title), element("p", text)]
    if link is not None:
        parts.append(element("p", element("a", "To the page", href=link)))
    return html.page(head, element("body", element("main", *parts)))


def _section(title: str, content: Node, name: str, *more: Node) -> Element:
    heading = element("h2", title, id=f"{name}-title")
    return element("section", heading, content, *more, aria_labelledby=f"{name}-title", class_=f"of-{name}")


def _figure(board: Board, snapshot: Snapshot) -> Element:
    scale = element(
        "p",
        element("span", snapshot.plot.shape()["top"], data_top=True),
        " a second at the top. Each bar is one of the last 60 seconds, the newest at the right. ",
        board.plot_note,
        class_="scale",
    )
    return element("figure", drawing(snapshot.plot, f"{board.plot_title}, as bars"), element("figcaption", scale))


def _table(board: Board, table: Table, rows: Rows, form_token: str, page: int) -> Element:
    name = f"{table.name}-title"
    header = [element("th", column.label, scope="col", role="columnheader", class_=column.kind)
              for column in table.columns]  # fmt: skip
    if table.controls:
        header.append(element("th", "Actions", scope="col", role="columnheader", class_="actions"))
    body = element(
        "tbody",
        *(_row(table, row, form_token) for row in rows.rows),
        data_table=table.name,
        data_keyed=bool(table.controls),
        role="rowgroup",
    )
    drawn = element(
        "table",
        element("thead", element("tr", *header, role="row"), role="rowgroup"),
        body,
        role="table",
        aria_labelledby=name,
    )
    if table.scrolls:
        held = element("div", drawn, class_="scrolls", tabindex="0", role="group", aria_labelledby=name)
    else:
        held = element("div", drawn)
    pattern = element("template", _row(table, {}, form_token), data_row_of=table.name)
    empty = element("p", table.empty, class_="empty", data_empty=table.name, hidden=bool(rows.rows))
    note = element("p", rows.note, data_note=table.name, class_="note")
    links = [_links(page, rows.has_next)] if board.pages_of == table.name else []
    return _section(table.title, held, table.name, pattern, empty, note, *links)


def _row(table: Table, row: Row, form_token: str) -> Element:
    cells = [_cell(column, row) for column in table.columns]
    if table.controls:
        forms = (_form(control, row, form_token) for control in table.controls)
        forms_side_by_side = element("div", *forms)
        cells.append(element("td", forms_side_by_side, role="cell", data_label="Actions", class_="actions"))
    return element("tr", *cells, role="row", data_key=row.get("key", ""))


def _cell(column: Column, row: Row) -> Element:
    value = row.get(column.name, "")
    tag = "bdi" if column.kind in ("words", "time") else "span"
    state = value if column.kind == "state" else None
    content = element(tag, value, data_field=column.name, data_state=state)
    return element("td", content, role="cell", data_label=column.label, class_=column.kind)


def _form(control: Control, row: Row, form_token: str) -> Element:
    hidden = control.shown_if is not None and not row.get(control.shown_if)
    return element(
        "form",
        element("input", type="hidden", name="token", value=form_token),
        *(
            element("input", type="hidden", name=name, value=row.get(name, ""), data_value=name)
            for name in control.from_row
        ),
        *control.inputs,
        method="post",
        action=control.action,
        hidden=hidden,
        data_if=control.shown_if,
    )


def _links(page: int, has_next: bool) -> Element:
    earlier = element("a", "Earlier tasks", href=f"/?page={page - 1}", rel="prev", hidden=page == 1)
    later = element("a", "Later tasks", href=f"/?page={page + 1}", rel="next", hidden=not has_next)
    return element("nav", earlier, later, aria_label="Pages of tasks")
