"""One HTML file with everything in it: no script, no style sheet, no picture from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.plots.beside import beside, beside_html
from geoinfluencer.plots.figures import Figure

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #222; background: #fff;
  max-width: 1180px; margin: 2rem auto 4rem; padding: 0 1.2rem; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem;
  border-bottom: 1px solid #ddd; padding-bottom: .2rem; }
.sub { color: #555; margin: 0 0 1rem; }
nav a { margin-right: 1rem; color: #0072B2; text-decoration: none; }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0; }
.card { border: 1px solid #ddd; border-radius: 6px; padding: .5rem .9rem; min-width: 8rem; }
.card b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.card span { color: #555; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0;
  border-bottom: 1px solid #eee; }
td.n { font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 1.2rem 0 1.8rem; } figure img { max-width: 100%; height: auto; }
figcaption { color: #555; font-size: .88rem; max-width: 60rem; }
figcaption b { color: #222; }
details { margin: .8rem 0; } summary { cursor: pointer; color: #0072B2; }
pre { background: #f6f6f6; padding: .8rem; overflow-x: auto; font-size: .82rem; }
"""


@dataclass(frozen=True)
class Report:
    """What a report shows.

    Attributes:
        title, subtitle: at the top; the subtitle says what was scored.
        metrics: name -> value; those with a definition come first and large.
        definitions: metric name -> one sentence.
        figures: in order; grouped by their sections.
        config: the configuration as YAML, or empty.
        versions: package -> version.
        pages: title and file of interactive pages beside the report.
    """

    title: str
    subtitle: str
    metrics: Mapping[str, Any]
    definitions: Mapping[str, str]
    figures: Sequence[Figure]
    config: str
    versions: Mapping[str, str]
    pages: Sequence[tuple[str, str]] = ()


def write_report(path: Path, report: Report) -> None:
    """Writes the report, at once or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(render_report(report), encoding="utf-8")


def render_report(report: Report) -> str:
    """The report as HTML."""
    sections = list(dict.fromkeys(figure.section for figure in report.figures))
    compared = beside(report.metrics, list(report.definitions))
    headings = ["Scores"] if report.metrics else []
    headings += (["Baselines"] if compared is not None else []) + sections
    headings += ["Configuration"] if report.config else []
    links = "".join(f'<a href="#{anchor(name)}">{escape(name)}</a>' for name in headings)
    body = [
        f"<h1>{escape(report.title)}</h1>",
        f'<p class="sub">{escape(report.subtitle)}</p>',
        f"<nav>{links}</nav>",
    ]
    if report.pages:
        listed = " ".join(
            f'<a href="{escape(quote(file))}">{escape(title)}</a>' for title, file in report.pages
        )
        body.append(f"<nav>To turn and zoom: {listed}</nav>")
    if report.metrics:
        body += [heading("Scores"), _cards(report), _tables(report)]
    if compared is not None:
        body += [heading("Baselines"), beside_html(compared)]
    for section in sections:
        body.append(heading(section))
        body += [figure_html(figure) for figure in report.figures if figure.section == section]
    if report.config:
        body += [heading("Configuration"), f"<pre>{escape(report.config)}</pre>"]
    used = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    body.append(f'<p class="sub">Made with {escape(used)}.</p>')
    return page(report.title, body)


def page(title: str, body: Sequence[str]) -> str:
    """An HTML page in the style of the reports; ``body`` is HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def anchor(name: str) -> str:
    """The id of a section."""
    return name.lower().replace(" ", "-")


def heading(name: str) -> str:
    """The heading of a section, with the anchor that links to it use."""
    return f'<h2 id="{anchor(name)}">{escape(name)}</h2>'


def _cards(report: Report) -> str:
    """The metrics in the foreground, large."""
    names = [name for name in report.definitions if name in report.metrics][:6]
    cards = [
        f'<div class="card"><b>{_number(report.metrics[name])}</b>'
        f"<span>{escape(name.replace('_', ' '))}</span></div>"
        for name in names
    ]
    return f'<div class="cards">{"".join(cards)}</div>'


def _tables(report: Report) -> str:
    defined = [name for name in report.definitions if name in report.metrics]
    rows = [
        f'<tr><td>{escape(name)}</td><td class="n">{_number(report.metrics[name])}</td>'
        f"<td>{escape(report.definitions[name])}</td></tr>"
        for name in defined
    ]
    head = "<tr><th>metric</th><th>value</th><th>definition</th></tr>"
    others = [
        f'<tr><td>{escape(name)}</td><td class="n">{_number(value)}</td></tr>'
        for name, value in report.metrics.items()
        if name not in (*report.definitions, "baselines")  # a table of their own
    ]
    table = f"<table>{head}{''.join(rows)}</table>" if rows else ""
    return (
        f"{table}<details><summary>everything in metrics.json ({len(others)} more)</summary>"
        f"<table>{''.join(others)}</table></details>"
    )


def figure_html(figure: Figure) -> str:
    """A figure with its caption, the picture inside."""
    data = base64.b64encode(figure.png).decode("ascii")
    return (
        f'<figure><img alt="{escape(figure.title)}" src="data:image/png;base64,{data}">'
        f"<figcaption><b>{escape(figure.title)}.</b> {escape(figure.caption)}</figcaption></figure>"
    )


def _number(value: Any) -> str:
    if value is None:
        return "undefined"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return escape(str(value))
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:,.1f}"
