"""The objects of a run with the outputs of the frozen trunk, and the answers of a head to them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from converseg_ros.knowledge.vocabulary import Vocabulary
from converseg_ros.network.encoders.efficientnet import EfficientNetLite0
from converseg_ros.network.names.crops import FADED, MASKED
from converseg_ros.network.names.head import NameHead
from converseg_ros.training.names.features import VIEWS
from converseg_ros.training.names.table import Table, sources_of

SHOWN = (VIEWS.index(FADED), VIEWS.index(MASKED))  # views that the namer averages if it is uncertain


class Prepared:
    """A table and the output of the frozen trunk's classifier."""

    def __init__(self, table: Table, trunk: EfficientNetLite0, words: Vocabulary) -> None:
        """Compute the logarithms of ImageNet's probabilities of nouns for all views."""
        self.table, self.words = table, words
        self.trunk = trunk.float().cpu()
        probe = NameHead(sources_of(np.array(['person']), words))
        with torch.no_grad():
            rows = [
                probe.by_class(self.trunk.class_logits(part.flatten(0, 1).float())).half().unflatten(0, part.shape[:2])
                for part in table.pooled.split(256)
            ]
        self.by_class = torch.cat(rows)

    def answers(self, head: NameHead, chosen: NDArray[np.bool_], views: Sequence[int], *, detector: bool) -> Tensor:
        """Return (J, K + 1) log-probabilities of the selected objects; features are averaged over `views`."""
        with torch.inference_mode():
            pooled = self.table.pooled[torch.from_numpy(chosen)][:, list(views)].float().mean(1)
            evidence = self.table.evidence[torch.from_numpy(chosen)] * float(detector)
            found: Tensor = head(pooled, head.by_class(self.trunk.class_logits(pooled)), evidence)
        return found
