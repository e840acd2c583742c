"""Measure the statements of `knowledge`: how often a free text describes a right noun more than nine wrong ones.

converseg bench statements test/data/knowledge/free_texts.tsv --json out.json

The file has the columns `text` and `nouns` (separated by `;`), separated by a tab: a text without a noun of an
instruction, and the nouns that it describes. For each text one of its nouns and nine others of the namer are drawn
several times. The noun with the largest weight is chosen, and among equal ones any: chance is .10. Texts without a noun
are counted, but not measured. The result is also given by the cosine of the most similar wording.

converseg bench statements test/data/knowledge/free_texts.tsv --images photo.jpg other.jpg

asks all texts of each image and prints how often they are answered. Most images show nothing that a text describes, so
that a vague text should not be answered more often than a clear one.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.files import write_json
from converseg_ros.core.segmentation import Query
from converseg_ros.core.status import Status
from converseg_ros.programs.nodes import Like, Select, program_to_json

COLUMNS = ['text', 'nouns']
OTHERS, DRAWS = 9, 60
RANGES = ((0.0, 0.5), (0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 1.01))


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('texts', type=Path, metavar='TSV', help='texts and the nouns that they describe')
    parser.add_argument('--model', default='compact', help='name or folder of the model')
    parser.add_argument('--images', type=Path, nargs='+', default=[], help='ask the texts of these images')
    parser.add_argument('--json', type=Path, help='write the results here')


def run(args: argparse.Namespace) -> int:
    """Measure, print and write."""
    from converseg_ros.network.file_names import NAMES, STATEMENTS
    from converseg_ros.network.names.statements import load_statements
    from converseg_ros.network.names.weights import load_names
    from converseg_ros.network.registry import find_model
    from converseg_ros.network.weights.things_loader import load_text_encoder

    folder = find_model(args.model)
    if not (folder / STATEMENTS).is_file():
        raise InputError('the file is missing', where=str(folder / STATEMENTS), do='converseg weights assemble')
    nouns = load_names(folder / NAMES).head.sources.nouns
    texts = read_texts(args.texts, nouns)
    statements = load_statements(folder / STATEMENTS, load_text_encoder(folder))
    described = [(text, right) for text, right in texts if len(right)]
    if not described:
        raise InputError('no text describes a noun of the namer', where=str(args.texts))
    chosen = np.array([share_right(statements.classes(text), right, nouns) for text, right in described])
    cosine = np.array([statements.similarity(text) for text, _ in described])
    error = chosen.std() / np.sqrt(len(chosen))
    print(f'{len(chosen)} of {len(texts)} texts describe nouns; {1 + OTHERS} nouns to choose from')
    print(f'right: {chosen.mean():.3f}, standard error {error:.3f}')
    ranges = []
    for low, high in RANGES:
        part = chosen[(cosine >= low) & (cosine < high)]
        right = float(part.mean()) if len(part) else None
        ranges.append({'from': low, 'to': high, 'texts': len(part), 'right': right})
        print(
            f'  cosine {low:.1f} to {min(high, 1):.1f}: {len(part):3} texts' + (f', {right:.3f}' if len(part) else '')
        )
    answered = _answered(args, [text for text, _ in texts], statements.similarity) if args.images else []
    if args.json:
        found = {'texts': len(chosen), 'right': float(chosen.mean()), 'cosine': ranges, 'answered': answered}
        write_json(args.json, found)
    return 0


def _answered(
    args: argparse.Namespace, texts: Sequence[str], similarity: Callable[[str], float]
) -> list[dict[str, float]]:
    """Return the share of texts that are not refused, of all images, by the cosine of the most similar wording."""
    from converseg_ros.datasets.images import read_rgb
    from converseg_ros.network import load

    network = load(args.model)
    queries = [Query(text, program_to_json(Select('all', Like(text)))) for text in texts]
    given = np.zeros(len(texts))
    for path in args.images:
        network.set_image(read_rgb(path))
        given += [p.status != Status.NO_TARGET for p in network.predict(queries)]
    network.close()
    cosine, share, out = np.array([similarity(text) for text in texts]), given / len(args.images), []
    for low, high in RANGES:
        part = share[(cosine >= low) & (cosine < high)]
        if len(part):
            out.append({'from': low, 'to': high, 'texts': len(part), 'answered': float(part.mean())})
            print(f'  cosine {low:.1f} to {min(high, 1):.1f}: {len(part):3} texts, {part.mean():.2f} answered')
    return out


def read_texts(path: Path, nouns: Sequence[str]) -> list[tuple[str, NDArray[np.intp]]]:
    """Return the places in `nouns` of what each text describes; nouns that are not in it are left out."""
    place = {noun: i for i, noun in enumerate(nouns)}
    found = []
    try:
        with path.open(newline='', encoding='utf-8') as file:
            rows = list(csv.reader(file, delimiter='\t', quoting=csv.QUOTE_NONE))
    except OSError as error:
        raise InputError(f'cannot be read ({error.strerror})', where=str(path)) from error
    if not rows or rows[0] != COLUMNS:
        raise InputError('the columns are not those of texts', where=f'{path}, line 1', do=f'use {", ".join(COLUMNS)}')
    for line, row in enumerate(rows[1:], 2):
        if len(row) != len(COLUMNS) or not row[0]:
            raise InputError('a line has a text and its nouns', where=f'{path}, line {line}')
        named = (noun.strip() for noun in row[1].split(';'))
        found.append((row[0], np.array(sorted({place[noun] for noun in named if noun in place}), np.intp)))
    return found


def share_right(weights: Mapping[str, float], right: NDArray[np.intp], nouns: Sequence[str]) -> float:
    """Return how often a right noun is chosen among OTHERS wrong ones; k equal ones count 1 / k."""
    rng = np.random.default_rng(0)
    w = np.array([weights.get(noun, 0.0) for noun in nouns])
    wrong = np.setdiff1d(np.arange(len(nouns)), right)
    total = 0.0
    for _ in range(DRAWS):
        mine, others = w[rng.choice(right)], w[rng.choice(wrong, OTHERS, replace=False)]
        if mine >= others.max():
            total += 1 / (1 + np.count_nonzero(others == mine))
    return total / DRAWS
