"""Loading the network on a GPU, or on the CPU if the GPU cannot be used."""

from collections.abc import Callable

from converseg_ros.core.segmentation import SegmentationNetwork


def load_where_possible(
    load: Callable[[str], SegmentationNetwork], device: str, fall_back: bool, log: Callable[[str], object]
) -> SegmentationNetwork:
    """Return load(device), or load('cpu') after an error of CUDA, for example because the GPU has too little memory.

    log: gets the reason. Without `fall_back` the error is raised.
    """
    try:
        return load(device)
    except RuntimeError as error:
        why = ' '.join(str(error).split())[:200]
        if device == 'cpu' or not fall_back or 'CUDA' not in why:
            raise
    log(f'the GPU cannot be used ({why}): the network is loaded on the CPU')
    return load('cpu')
