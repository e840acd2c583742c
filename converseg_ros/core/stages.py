"""Names of stages in feedback, latencies and events, shared by messages, docs and code."""

from collections.abc import Callable
from enum import StrEnum


class Stage(StrEnum):
    """A stage of answering instructions, in the order of execution; each network has some of them."""

    WAITING = 'waiting'  # a request waits for the network
    PREPROCESS = 'preprocess'  # the image is converted to the network's input
    IMAGE = 'image'  # the image is encoded
    SEGMENTS = 'segments'  # segments are proposed
    NAMES = 'names'  # segments are named and measured
    TEXT = 'text'  # instructions are encoded or parsed
    FACTS = 'facts'  # programs are executed on the facts of the view
    DECODE = 'decode'  # the mask decoder runs
    MASKS = 'masks'  # masks are resized to the image
    LIFT = 'lift'  # masks are lifted to 3D regions
    TRACK = 'track'  # regions get the ids of earlier regions
    FRAME = 'frame'  # the complete frame


Checkpoint = Callable[[Stage], None]
"""Called with each stage before it starts; it may raise to cancel the work."""


class JobStage(StrEnum):
    """A stage of a long command (`converseg engine`, `train`, `eval`) in its events and in the feedback of actions."""

    FRAMES = 'frames'  # frames are sampled, or frames of a bag are answered
    IMAGES = 'images'  # images pass through the data engine, or are evaluated
    SHARDS = 'shards'  # shards pass through the data engine on a cluster
    TRAINING = 'training'
    VALIDATION = 'validation'
    DONE = 'done'
