"""The networks: encoders, adapters, decoder, segments, names, parser, checkpoints, predictors.

load(name_or_folder) -> an implementation of core.segmentation.SegmentationNetwork.
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from converseg_ros.network.converseg.predictor import Predictor


def load(model: str | os.PathLike[str], **options: Any) -> 'Predictor':
    """Return the predictor of a model's name or folder; see registry.load for the options."""
    from converseg_ros.network.registry import load as load_model

    predictor: Predictor = load_model(model, **options)
    return predictor
