"""Other words for a request ask for the same, and are replaced as whole words only."""

from pathlib import Path

import pytest

from converseg_ros.core.errors import InputError
from converseg_ros.programs.wordings import in_other_words, replacements


@pytest.mark.parametrize(
    ('text', 'plain'),
    [
        ('I am cold, is there a blanket on the sofa?', 'where is a blanket on the sofa'),
        ('I want to bake a cake. Where are the eggs?', 'where are the eggs'),
        ('take the vase off the shelf before it falls', 'take the vase off the shelf'),
        ('where did my keys go?', 'where is my keys'),
        ('where did I leave my glasses?', 'find my glasses'),
        ('have you seen my keys', 'find my keys'),
        ('can the robot drive here? show me the way', 'where is there room on the floor'),
        ('where is it safe to drive', 'where is there room on the floor'),
        ('is it ok to drive over here with my wheelchair', 'where is there room on the floor'),
        ('can I roll the bed through here?', 'where is there room on the floor'),
        ('where could the cleaning robot roll through', 'where is there room on the floor'),
        ('the bike he is standing over', 'the bike'),
        ('what is the ground that they are walking on', 'the ground'),
        ("the man's glasses", 'the glasses the man is wearing'),
        ('which of these is the most dangerous', 'what is dangerous here'),
        ('what do I pull to open the drawer', 'the handle of the drawer'),
        ('which of these could I put on my foot', 'what could i wear'),
        ('what would I trip over on my way to the door', 'everything on the floor'),
        ('is anybody in the way of the robot?', 'is anybody there'),
        ('where could I get burned?', 'what could burn me if i touched it'),
        ("what could fall on somebody's head", 'what could tip over'),
        ('things that are not on the table', 'everything except the things on the table'),
        ('where can I roll out some dough', 'where is there room for some dough'),
        ('what could I use to open this bottle', 'find the bottle opener'),
        ('who is talking on the phone', 'who is holding the phone'),
        ('is there a knife I could hurt myself with', 'is there a knife'),
        ('what does the boy hold', 'what is the boy holding'),
        ('what would you use to dice the carrots', 'something to cut the carrots with'),
        ('which of these would shatter', 'which of these would break'),
        ('what would come down if I took away the lower box', 'what would fall if i removed the lower box'),
        ('where could the vacuum robot go', 'where is there room on the floor'),
        ('the broom propped against the wall', 'the broom touching the wall'),
        ('the man steering the boat', 'the man riding the boat'),
        ('knock this pin out for me, what would you take?', 'something to drive a nail in with'),
        ('what could I hit the chisel with', 'what could i drive a nail in with'),
        ('the machine I can drill with', 'something to drill with'),
        ('what could I saw this plank through with', 'find the saw'),
        ('the wrench nearest to the left edge of the bench', 'the wrench furthest to the left'),
        ('the wrench nearest to the back edge', 'the wrench farthest away from me'),
        ('the stubby one, shortest of all', 'the shortest thing'),
        ('what do I have to move to reach the wrench', 'what is on the wrench'),
        ('which of these would hurt most if it fell on my foot', 'which of these is the heaviest'),
        ('which animal should I keep my distance from', 'all animals'),
        ('what should I stay well away from', 'what is dangerous here'),
        ('drive here', 'where is there room on the floor'),
        ('the hammer closest to the bottom edge', 'the hammer at the very bottom'),
        ('the mug nearest to the left edge of the picture', 'the mug furthest to the left'),
        ('who is spilling', 'who is pouring'),
        ('what could be blown away by the wind', 'what is so light that a draught could move it'),
        ("where's my coffee", 'find the cup of coffee'),
        ('a place to sit at the kitchen island', 'something to sit on'),
    ],
)
def test_other_words(text: str, plain: str) -> None:
    assert in_other_words(text).lower() == plain


@pytest.mark.parametrize(
    'text',
    [
        'the red mug',
        'the smashing board',
        'what stands where',
        'the cutter beneaths',
        "the man's mug",
        'where can I hurt myself',
        'what could smash my thumb',
        'what is the hand holding',
        'something to crack the nut with',
        'the drive',
    ],
)
def test_other_texts_are_unchanged(text: str) -> None:
    assert in_other_words(text) == text


@pytest.mark.parametrize('text', ['the red mug', 'what would shatter if it was dropped', 'the pen underneath the desk'])
def test_a_second_replacement_changes_nothing(text: str) -> None:
    once = in_other_words(text)
    assert in_other_words(once) == once


@pytest.mark.parametrize('entry', ["['(a', 'b']", "['a', '{1}']"])
def test_an_invalid_entry_is_an_error(tmp_path: Path, entry: str) -> None:
    (tmp_path / 'wordings.yaml').write_text(f'section:\n  - {entry}\n')
    with pytest.raises(InputError, match='section'):
        replacements(tmp_path / 'wordings.yaml')
