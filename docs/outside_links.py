"""A hook of mkdocs: links to files outside of docs/, which the site does not contain, are replaced by their path."""

import re
from typing import Any

_LINK = re.compile(r'\[([^\]]+)\]\(\.\./([^)#]+)(?:#[^)]*)?\)')


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the text of a page in which `[text](../PATH)` is `text (PATH in the repository)`."""
    return _LINK.sub(r'\1 (`\2` in the repository)', markdown)
