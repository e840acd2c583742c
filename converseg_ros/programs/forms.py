"""The forms of the program language for each sub-concept of core.concepts."""

from typing import Final

from converseg_ros.programs.nodes import Act, Filter, Node, Rank, Relate, Select

LIKE: Final = 'like'


def form(node: Node) -> str:
    """Return the form of a program: its outermost condition below the selection, such as 'filter colour'."""
    node = node.of if isinstance(node, Select) else node
    match node:
        case Filter():
            return f'filter {node.by}'
        case Rank():
            return f'rank {node.key}'
        case Relate():
            return f'relate {node.relation}'
        case Act():
            return f'act {node.kind}'
    return node.op


_NAME, _TAG = 'filter name', 'filter tag'
_PEOPLE = ('act carrying', 'act wearing', 'act holding')

FORMS: Final[dict[str, tuple[str, ...]]] = {
    # entities
    'instance': (_NAME,),
    'kind': (_NAME,),
    'agent': (_NAME,),
    'surface': (_NAME,),
    'part': ('parts',),
    'material': ('filter material',),
    'color': ('filter colour',),
    'state': ('filter state',),
    'group': ('filter state',),
    'anomaly': (LIKE,),
    'attribute': (_TAG,),
    # spatial
    'containment': ('relate in', 'relate contains'),
    'viewer_left': ('relate left_of', 'relate right_of'),
    'object_left': ('relate own_left_of', 'relate own_right_of'),
    'vertical': ('relate above', 'relate below', 'relate under'),
    'support': ('relate on', 'relate supports'),
    'next_to': ('rank distance_to', 'relate next_to', 'relate near'),
    'between': ('relate between',),
    'camera_distance': ('rank depth', 'filter region'),
    'in_front': ('relate in_front_of', 'relate behind'),
    'occlusion': ('filter state', 'relate hides', 'relate hidden_by'),
    'side_order': ('rank x', 'rank y'),
    'size_order': ('rank size', 'rank height', 'rank width', 'rank length', 'relate taller_than', 'relate larger_than'),
    'image_region': ('filter region', 'rank x'),
    'follow_up': ('relate behind', 'relate left_of', 'relate right_of', 'relate next_to'),
    # relations
    'holding': ('act holding',),
    'using': ('act using', 'act cutting', 'act sitting', 'act plugging'),
    'cutting': ('act cutting', 'filter state'),
    'pouring': ('act pouring',),
    'sitting': ('act sitting',),
    'facing': ('act facing', 'relate facing'),
    'reaching': ('act reaching',),
    'in_transit': ('act carrying',),
    'about_to': ('act falling',),
    'covering': ('relate covers', LIKE),
    'connecting': ('act plugging', 'relate touching', 'filter state'),
    'riding': ('act riding', 'relate on'),
    'accompanying': (*_PEOPLE, LIKE),
    'uninvolved': (
        'act using', 'act holding', 'act cutting', 'act pouring', 'act sitting', 'act facing', 'act reaching',
        'act carrying', 'act falling', 'act plugging', 'act riding', 'filter state', LIKE,
    ),
    # affordances
    'grasp': ('parts', _TAG),
    'sit': (_TAG, LIKE),
    'cut': (_TAG, LIKE),
    'pour': (_TAG, LIKE),
    'drink': (_TAG, LIKE),
    'contain': (_TAG,),
    'support_use': (_TAG,),
    'open': (_TAG, 'parts', LIKE),
    'stir': (_TAG,),
    'clean': (_TAG, LIKE),
    'work': (_TAG,),
    'operate': (_TAG, LIKE),
    'light': (_TAG,),
    'consume': (_TAG,),
    'wear': (_TAG,),
    'travel': (_TAG,),
    'play': (_TAG,),
    'substitute': (LIKE,),
    # physics
    'free_space': ('free',),
    'stability': ('filter physics',),
    'load_bearing': ('relate supports', 'filter physics'),
    'falls_if_removed': ('relate falls_without', 'relate on'),
    'removable': ('filter physics',),
    'hot': (_TAG,),
    'sharp': (_TAG,),
    'fragile': (_TAG,),
    'spill': (_TAG,),
    'child_reach': (_TAG, LIKE),
    'fire': (_TAG,),
    'electric': (_TAG,),
    'toxic': (_TAG,),
    'weight': (_TAG, 'filter physics', 'rank weight'),
    'rolling': (_TAG, 'filter physics', LIKE),
    'movable': (_TAG,),
}  # fmt: skip
"""Sub-concept -> forms of programs. With `like`, some or all of its questions have no closed form: the odd one out, a
substitute for a missing tool, a part that is defined by its use ("which part of the mug touches the lips").
"""
