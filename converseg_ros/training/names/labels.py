"""The meaning of labels of the training sources: the nouns of the vocabulary that a label may mean."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import InputError
from converseg_ros.knowledge.vocabulary import Vocabulary
from converseg_ros.training.names.instances import MATERIAL, NOTHING

# Labels that are not nouns of the vocabulary, or differ in meaning from the noun.
MEANING = {
    'Golden Delicious': 'apple', 'Granny Smith': 'apple', 'Pink Lady': 'apple', 'Red Delicious': 'apple',
    'Royal Gala': 'apple', 'Galia Melon': 'melon', 'Honeydew Melon': 'melon', 'Anjou': 'pear', 'Conference': 'pear',
    'Kaiser': 'pear', 'Red Grapefruit': 'grapefruit', 'Satsumas': 'mandarin', 'Brown Cap Mushroom': 'mushroom',
    'Yellow Onion': 'onion', 'Green Bell Pepper': 'bell pepper', 'Orange Bell Pepper': 'bell pepper',
    'Red Bell Pepper': 'bell pepper', 'Yellow Bell Pepper': 'bell pepper', 'Floury Potato': 'potato',
    'Solid Potato': 'potato', 'Red Beet': 'beet', 'Beef Tomato': 'tomato', 'Regular Tomato': 'tomato',
    'Vine Tomato': 'tomato', 'Bravo Apple Juice': 'juice carton', 'Bravo Orange Juice': 'juice carton',
    'God Morgon Apple Juice': 'juice carton', 'God Morgon Orange Juice': 'juice carton',
    'God Morgon Orange Red Grapefruit Juice': 'juice carton', 'God Morgon Red Grapefruit Juice': 'juice carton',
    'Tropicana Apple Juice': 'juice carton', 'Tropicana Golden Grapefruit': 'juice carton',
    'Tropicana Juice Smooth': 'juice carton', 'Tropicana Mandarin Morning': 'juice carton',
    'Arla Ecological Sour Cream': 'sour cream pot', 'Arla Sour Cream': 'sour cream pot',
    'food-other-merged': 'food',
    'handsaw': 'saw', 'gas wrench': 'pipe wrench', 'cutting pliers': 'side cutters',
}  # fmt: skip
MEANING |= dict.fromkeys(
    (
        'Arla Ecological Medium Fat Milk', 'Arla Lactose Medium Fat Milk', 'Arla Medium Fat Milk', 'Arla Standard Milk',
        'Garant Ecological Medium Fat Milk', 'Garant Ecological Standard Milk', 'Oatly Natural Oatghurt',
        'Oatly Oat Milk', 'Arla Sour Milk', 'Alpro Blueberry Soyghurt', 'Alpro Vanilla Soyghurt',
        'Alpro Fresh Soy Milk', 'Alpro Shelf Soy Milk', 'Arla Mild Vanilla Yoghurt',
        'Arla Natural Mild Low Fat Yoghurt', 'Arla Natural Yoghurt', 'Valio Vanilla Yoghurt',
        'Yoggi Strawberry Yoghurt', 'Yoggi Vanilla Yoghurt',
    ),
    'carton',
)  # fmt: skip
EXACT_SOURCES = frozenset({'tools'})  # their labels exclude each other: a wrench there is not an adjustable wrench
MATERIALS = ('plastic', 'metal', 'glass', 'paper', 'cardboard')


def meaning(label: str) -> str:
    """Return the noun phrase that a label means."""
    return MEANING.get(label, label)


def allowed(labels: Sequence[str], source: str, words: Vocabulary) -> NDArray[np.bool_]:
    """Return (B, N + 1): the nouns that each label may mean, including those with it as a loose name; last: none.

    All False for a label that is only a material. Raises InputError for an unknown label.
    """
    rows: dict[str, NDArray[np.bool_]] = {}
    count = len(words.names)
    for label in dict.fromkeys(labels):
        row = np.zeros(count + 1, bool)
        if label == NOTHING:
            row[count] = True
        elif not label.startswith(MATERIAL):
            own = own_noun(label, words)
            row[own] = True
            if source not in EXACT_SOURCES:
                row[list(words.denoted(meaning(label)))] = True
        rows[label] = row
    return np.stack([rows[label] for label in labels])


def own_noun(label: str, words: Vocabulary) -> int | None:
    """Return the noun that a label names, or None for a material or nothing."""
    if label == NOTHING or label.startswith(MATERIAL):
        return None
    found = words.find(meaning(label))
    if found is None:
        raise InputError(f'no noun for the label {label!r}', where='training labels', do='add it to MEANING')
    return found
