"""Write the parameter tables in docs/: `python -m converseg_ros.nodes.parameter_docs docs`."""

from pathlib import Path
import re
import sys

from converseg_ros.nodes.operator_parameters import CONSOLE, LEARNING, SPEECH
from converseg_ros.ros.parameters import markdown
from converseg_ros.ros.settings import TABLE

PAGES = {
    'segmenter_node.md': (TABLE, 'configure'),
    'speech_node.md': (SPEECH, 'start'),
    'console_node.md': (CONSOLE, 'start'),
    'learning_node.md': (LEARNING, 'start'),
}
TABLE_HEAD = '| parameter | default | values | live | effect |\n|---|---|---|---|---|\n'
_TABLE = re.compile(re.escape(TABLE_HEAD) + r'(\|[^\n]*\n)+')


def page_with_table(text: str, name: str) -> str:
    """Return a page of the docs with its current parameter table."""
    table, when = PAGES[name]
    return _TABLE.sub(lambda _: TABLE_HEAD + markdown(table, when) + '\n', text)


def main(folder: Path) -> None:
    """Write the tables into the pages of a folder."""
    for name in PAGES:
        path = folder / name
        path.write_text(page_with_table(path.read_text(), name))


if __name__ == '__main__':
    main(Path(sys.argv[1]))
