"""results.md and report.html: findings in sentences, tables, figures, how it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from geoinfluencer.compare import findings
from geoinfluencer.compare.folder import CompareFolder
from geoinfluencer.compare.outcome import Outcome
from geoinfluencer.compare.reporting import reporting_of
from geoinfluencer.compare.tables import Table, write_rows
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.plots.report import anchor, figure_html, heading, page


def write(
    folder: CompareFolder, outcome: Outcome, about: Mapping[str, str], *, pictures: bool = True
) -> None:
    """Rows, tables, figures and report, each file at once or not at all.

    Args:
        folder: of the comparison.
        outcome: what was found.
        about: command, machine and settings: name -> words.
        pictures: False: the tables alone, while runs are still going on.
    """
    write_rows(folder, outcome.rows)
    found = sentences(outcome)
    with atomic_path(folder.markdown) as temporary:
        temporary.write_text(_markdown(outcome, found, about), encoding="utf-8")
    if not pictures:
        return
    drawn = reporting_of(outcome).figures(outcome) if outcome.rows else []
    folder.plots.mkdir(parents=True, exist_ok=True)
    for figure in drawn:
        figure.save(folder.plots)
    sections = list(dict.fromkeys(figure.section for figure in drawn))
    links = ["What was found", "Table", *sections, "How it was measured"]
    body = [
        f"<h1>{escape(_title(outcome))}</h1>",
        f'<p class="sub">{escape(_subtitle(outcome))}</p>',
        "<nav>" + "".join(f'<a href="#{anchor(n)}">{escape(n)}</a>' for n in links) + "</nav>",
        heading("What was found"),
        *(_found_html(group, lines) for group, lines in found.items()),
        f'<p class="sub">{escape(reporting_of(outcome).criterion)}</p>',
        heading("Table"),
        *(_table_html(table) for table in _tables(outcome)),
    ]
    for section in sections:
        body.append(heading(section))
        body += [figure_html(figure) for figure in drawn if figure.section == section]
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(words)}</td></tr>"
        for name, words in _how(outcome, about).items()
    )
    body += [heading("How it was measured"), f"<table>{rows}</table>"]
    with atomic_path(folder.report) as temporary:
        temporary.write_text(page(_title(outcome), body), encoding="utf-8")


def sentences(outcome: Outcome) -> dict[str, list[str]]:
    """Heading (a group, or empty) -> sentences."""
    kind = reporting_of(outcome)
    found = {group: kind.sentences(outcome, group) for group in outcome.groups}
    failed = findings.failure_sentences(outcome)
    if failed:
        found["Failures"] = failed
    if outcome.left_out:
        found["Not run"] = outcome.left_out
    return found


def _tables(outcome: Outcome) -> list[Table]:
    return [reporting_of(outcome).table(outcome, group) for group in outcome.groups]


def _title(outcome: Outcome) -> str:
    return f"{outcome.subject.dataset}: {reporting_of(outcome).compared} compared"


def _subtitle(outcome: Outcome) -> str:
    kind, losses = reporting_of(outcome), len(outcome.losses)
    seeds = len({row["seed"] for row in outcome.rows})
    words = (
        f"{losses} loss{'es' * (losses != 1)}, {seeds} seed{'s' * (seeds != 1)}, "
        f"{len(outcome.rows)} {kind.rows}"
    )
    return f"{words}; reference: {kind.reference(outcome)}"


def _how(outcome: Outcome, about: Mapping[str, str]) -> dict[str, str]:
    quality = {outcome.subject.quality: outcome.subject.words}
    shown = {key: text for key, text in outcome.subject.metrics.items() if key not in quality}
    time = {"time": outcome.subject.time} if outcome.subject.time else {}
    return {**about, **quality, **time, **shown}


def _found_html(group: str, lines: Sequence[str]) -> str:
    head = f"<h3>{escape(group)}</h3>" if group else ""
    return head + "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _table_html(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "".join(
        "<tr>" + "".join(f'<td class="n">{escape(cell)}</td>' for cell in row) + "</tr>"
        for row in table.cells
    )
    name = f"<h3>{escape(table.heading)}</h3>" if table.heading else ""
    return f'{name}<div style="overflow-x: auto"><table><tr>{head}</tr>{rows}</table></div>'


def _markdown(
    outcome: Outcome, found: Mapping[str, Sequence[str]], about: Mapping[str, str]
) -> str:
    parts = [f"# {_title(outcome)}", _subtitle(outcome)]
    parts.append("\n".join(f"- {name}: {words}" for name, words in about.items()))
    parts.append("## What was found")
    for group, lines in found.items():
        parts += [f"### {group}"] if group else []
        parts.append("\n".join(f"- {line}" for line in lines))
    shown = [table.markdown() for table in _tables(outcome)]
    parts += [reporting_of(outcome).criterion, "## Tables", *shown]
    if any(" * |" in table for table in shown):
        parts.append("\\* significant.")
    return "\n\n".join(parts) + "\n"
