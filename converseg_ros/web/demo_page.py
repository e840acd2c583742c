"""The HTML page of the demo: instructions, answers and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from converseg_ros.core.files import write_text
from converseg_ros.web.server import STATIC, palette_css

STYLE = """
body { padding: 24px; max-width: 1280px; margin: auto; }
table { border-collapse: collapse; width: 100%; margin: 16px 0; }
th, td { text-align: left; padding: 6px 10px; border-bottom: 1px solid var(--line); }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.answers { display: grid; grid-template-columns: repeat(auto-fill, minmax(380px, 1fr)); gap: 16px; }
.answers img { width: 100%; border-radius: var(--radius); display: block; }
.status { border: 1px solid var(--line); border-radius: 999px; padding: 0 8px; font-size: .85rem; }
.strip { display: flex; gap: 8px; overflow-x: auto; padding: 8px 0; }
.strip img { height: 200px; border-radius: var(--radius); }
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One row; all texts are formatted, and file names are relative to the page."""

    text: str
    role: str
    family: str
    status: str
    reason: str
    program_text: str
    geometry: str
    area: int
    points: int
    latency_ms: float
    overlay: str
    mask: str
    clouds: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DemoPage:
    """The contents of the page."""

    title: str
    model: str
    bag: str
    answers: Sequence[Answer]
    whole: str  # overlay with all regions
    clouds: Sequence[str]
    strip: Sequence[str] = field(default_factory=tuple)  # overlays of the other answered frames, in time order
    notes: Sequence[str] = field(default_factory=tuple)


def _links(names: Sequence[str]) -> str:
    return ' '.join(f'<a href="{escape(n)}">{escape(n)}</a>' for n in names)


def _row(a: Answer) -> str:
    cells = (a.text, a.role, a.family, a.status, a.geometry)
    numbers = (f'{a.area}', f'{a.points}', f'{a.latency_ms:.0f}')
    return (
        '<tr>'
        + ''.join(f'<td>{escape(c)}</td>' for c in cells)
        + ''.join(f'<td class="number">{n}</td>' for n in numbers)
        + '</tr>'
    )


def _card(a: Answer) -> str:
    reason = f'<p class="quiet">{escape(a.reason)}</p>' if a.reason else ''
    if a.program_text:
        reason += f'<p class="quiet">understood as: {escape(a.program_text)}</p>'
    return f"""<figure class="panel" style="margin:0">
<img src="{escape(a.overlay)}" alt="{escape(a.text)}: {escape(a.status)}">
<figcaption><p><b>{escape(a.text)}</b> <span class="status">{escape(a.status)}</span></p>{reason}
<p class="quiet"><a href="{escape(a.mask)}">mask</a> {_links(a.clouds)}</p></figcaption></figure>"""


def write_demo_page(path: Path, page: DemoPage) -> None:
    """Write `path`, an HTML file that only refers to the pictures in its folder."""
    head = ''.join(
        f'<th>{name}</th>'
        for name in ('instruction', 'role', 'family', 'status', 'geometry', 'area px', 'points', 'latency ms')
    )
    strip = ''
    if page.strip:
        pictures = ''.join(f'<img src="{escape(s)}" alt="an answered frame">' for s in page.strip)
        strip = f'<h2>The answered frames of the bag, in time order</h2><div class="strip">{pictures}</div>'
    notes = ''.join(f'<p class="quiet">{escape(n)}</p>' for n in page.notes)
    write_text(
        path,
        f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(page.title)}</title>
<style>{palette_css()}{(STATIC / 'base.css').read_text()}{STYLE}</style></head><body>
<h1>{escape(page.title)}</h1>
<p class="quiet">model {escape(page.model)} &middot; bag {escape(page.bag)} &middot; clouds {_links(page.clouds)}</p>
{notes}
<table><thead><tr>{head}</tr></thead><tbody>{''.join(_row(a) for a in page.answers)}</tbody></table>
<div class="answers">{''.join(_card(a) for a in page.answers)}</div>
<h2 style="margin-top:24px">All of them on one image</h2>
<img src="{escape(page.whole)}" alt="all regions" style="max-width:100%;border-radius:6px">{strip}
</body></html>
""",
    )
