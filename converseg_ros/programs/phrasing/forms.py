"""The forms of programs for each sub-concept, and their numbers of templates."""

from functools import cache

from converseg_ros.core.concepts import SUB_CONCEPTS
from converseg_ros.core.errors import InputError
from converseg_ros.programs.phrasing.templates import Entry, data, entries, lists, with_knowledge

WHOLE_FILES = {
    'name': ('frames', ('definite', 'indefinite', 'plural', 'any', 'bare')),
    'parts': ('parts', ('which', 'which_long')),
    'grip': ('parts', ('grip', 'grip_noun')),
    'free_space': ('free_space', ('ask', 'ask.on', 'ask.thing', 'ask.on.thing', 'ask.size', 'ask.on.size')),
    'like': ('like', ('behind', 'verb', 'adjective', 'asked', 'part', 'superlative', 'deed', 'doing')),
}
"""Forms with lists of templates instead of one table: the file and its lists."""


@cache
def forms() -> dict[str, tuple[str, ...]]:
    """Return the forms of all sub-concepts; raise InputError if the table and core/concepts.py differ."""
    table = data('sub_concepts')
    if table.keys() != SUB_CONCEPTS.keys():
        different = sorted(table.keys() ^ SUB_CONCEPTS.keys())
        raise InputError(
            f'{different} are in one of the two tables only', where='sub_concepts.yaml', do='give each a form'
        )
    for name, keys in table.items():
        for key in keys:
            if count(key) == 0:
                raise InputError(f'there are no phrases for {key}', where=f'sub_concepts.yaml: {name}')
    return {name: tuple(keys) for name, keys in table.items()}


def count(form: str) -> int:
    """Return the number of templates of a form; 0 for an unknown form."""
    if form in WHOLE_FILES:
        file, keys = WHOLE_FILES[form]
        return sum(len(lists(file)[key].all) for key in keys)
    file, _, key = form.partition('.')
    tables: dict[str, Entry] = with_knowledge(file) if file == 'tags' else entries(file)
    return sum(len(templates.all) for templates in tables.get(key, {}).values())
