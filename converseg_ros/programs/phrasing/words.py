"""Words of phrases: inflection, determiners, numbers and the nouns that texts are filled with."""

from functools import cache
import random

from converseg_ros.programs.phrasing.templates import data

NUMBERS = ('zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten')
ORDINALS = ('', 'first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth')
