"""What the docs tell people to type is right: every `converseg` command parses, and the marked ones run."""

from pathlib import Path
import re
import shlex
import subprocess
import sys

import pytest

from converseg_ros.cli import make_parser

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').rglob('*.md'))]
SHELLS = ('', 'bash', 'sh', 'console', 'text')
RUN = '<!-- run -->'


def code_lines(text: str) -> list[tuple[str, bool]]:
    """Return the lines of a page's code (fenced without a language or as a shell's, or indented); marked to be run?

    `<!-- run -->` in the line before a fence marks its lines: the site does not read fences with two words.
    """
    found: list[tuple[str, bool]] = []
    fence: str | None = None
    before, mark = '', False
    for line in text.replace('\\\n', ' ').splitlines():
        if line.lstrip().startswith('```'):
            mark = before == RUN
            fence = line.strip()[3:] if fence is None else None
        elif fence is not None:
            if fence in SHELLS:
                found.append((line, mark))
        elif line.startswith('    '):
            found.append((line, False))
        before = line.strip()
    return found


def commands() -> list[tuple[str, str, bool]]:
    """Return (page, command line, marked to be run) of every `converseg` and `./run converseg` line."""
    found = []
    for page in PAGES:
        for line, mark in code_lines(page.read_text()):
            line = line.strip().removeprefix('$ ').removeprefix('./run ').removeprefix('.venv/bin/')
            if line.startswith('converseg '):
                found.append((str(page.relative_to(ROOT)), re.split(r'\s# ', line)[0].strip(), mark))
    return found


def test_commands_are_found_in_every_kind_of_code() -> None:
    text = f'{RUN}\n```bash\nconverseg a\n```\n```\nconverseg b \\\n  --c\n```\n'
    text += '\n    converseg d\n\n```python\nconverseg e\n```\n'
    assert [(' '.join(w.split()), m) for w, m in code_lines(text)] == [
        ('converseg a', True),
        ('converseg b --c', False),
        ('converseg d', False),
    ]


@pytest.mark.parametrize(('page', 'line'), [c[:2] for c in commands()], ids=lambda v: v[:60])
def test_command_in_the_docs_parses(page: str, line: str) -> None:
    words = shlex.split(re.split(r'\s[|>&]|;', line)[0])[1:]
    try:
        make_parser(words).parse_args(words)
    except SystemExit as end:
        assert not end.code, f'{line} is not a command'  # --help ends with 0


@pytest.mark.parametrize(('page', 'line'), [c[:2] for c in commands() if c[2]], ids=lambda v: v[:60])
def test_marked_command_runs(page: str, line: str, tmp_path: Path) -> None:
    words = [w if w != 'out' and not w.startswith('out/') else str(tmp_path / w) for w in shlex.split(line)[1:]]
    done = subprocess.run([sys.executable, '-m', 'converseg_ros', *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_modules_that_the_docs_name_exist() -> None:
    """A page may leave out the folders that a path begins with."""
    files = [
        f'/{p.relative_to(ROOT)}' for top in ('converseg_ros', 'test', 'examples') for p in (ROOT / top).rglob('*.py')
    ]
    files.append('/setup.py')
    pages = [*PAGES, *(ROOT / 'converseg_ros' / 'models').glob('*/README.md')]
    named = {(page.name, name) for page in pages for name in re.findall(r'`([\w/]+\.py)`', page.read_text())}
    assert len(named) > 30
    assert not [(page, name) for page, name in sorted(named) if not any(f.endswith(f'/{name}') for f in files)]


def test_the_site_builds(tmp_path: Path) -> None:
    pytest.importorskip('mkdocs', reason='mkdocs is not installed (pip install "converseg_ros[docs]")')
    # not -q, which hides the warnings that --strict counts
    done = subprocess.run(
        [sys.executable, '-m', 'mkdocs', 'build', '--strict', '-d', str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / 'index.html').exists()


def test_the_files_that_pages_link_to_exist() -> None:
    pages = [*PAGES, *(ROOT / 'converseg_ros' / 'models').glob('*/README.md')]
    links = [(page, link) for page in pages for link in re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', page.read_text())]
    assert len(links) > 50
    assert not [(page.name, link) for page, link in links if not (page.parent / link).exists()]


def test_the_pages_say_where_their_commands_run_and_install_nothing_that_no_index_has() -> None:
    root = Path(__file__).resolve().parents[1]
    assert 'source .venv/bin/activate' in (root / 'docs' / 'index.md').read_text()
    texts = {p.name: p.read_text() for p in [root / 'README.md', *(root / 'docs').glob('*.md')]}
    assert not [name for name, text in texts.items() if re.search(r"pip install '?converseg_ros\[", text)]
    pages = ' '.join(texts.values())
    shipped = [*(root / 'launch').glob('*.launch.py'), *(root / 'rviz').iterdir()]
    assert not [p.name for p in shipped if p.name not in pages], 'these are on no page'


def test_the_page_of_programs_lists_all_values() -> None:
    from converseg_ros.programs import vocabulary as v

    text = (ROOT / 'docs' / 'programs.md').read_text()
    for head, values in (
        ('`filter`, `by: colour`', v.COLOURS),
        ('`filter`, `by: material`', v.MATERIALS),
        ('`filter`, `by: state`', v.STATES),
        ('`filter`, `by: physics`', v.PHYSICS),
        ('`filter`, `by: region`', v.REGIONS),
        ('`rank`, `key`', v.RANK_KEYS),
        ('`relate`, `relation`', v.RELATIONS),
        ('`act`, `kind`', v.ACTS),
        ('`act`, `role`', v.ROLES),
    ):
        row = next(line for line in text.splitlines() if line.startswith(f'| {head} |'))
        assert tuple(re.findall(r'`(\w+)`', row.split('|')[2])) == values, head
