"""What the two kinds of network share: a name, a device, and the recently encoded views."""

from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
import gc
from typing import Generic, TypeVar

import torch

from converseg_ros.core import ConversegError
from converseg_ros.network.options import DeviceMemoryError

V = TypeVar('V')


class ViewNetwork(Generic[V]):
    """Base of the networks: keeps the current view and, by their keys, the last `images` encoded ones.

    counts: images_encoded, images_cached.
    """

    calibration: object | None = None

    def __init__(self, name: str, device: torch.device, images: int) -> None:
        self._name, self._device, self._limit = name, device, images
        self._views: OrderedDict[Hashable, V] = OrderedDict()
        self._current: V | None = None
        self.counts: Counter[str] = Counter()

    @property
    def name(self) -> str:
        """Return name and version of the model."""
        return self._name

    @property
    def calibrated(self) -> bool:
        """Return whether scores are probabilities."""
        return self.calibration is not None

    @property
    def device(self) -> str:
        """Return the device."""
        return str(self._device)

    def _view(self) -> V:
        """Return the current view; raise ConversegError if none is set."""
        if self._current is None:
            raise ConversegError('no image is set', where=self._name, do='call set_image first')
        return self._current

    def _recall(self, key: Hashable) -> bool:
        """Make the view of a key the current one; return whether it is known. Otherwise there is no current view."""
        known = key is not None and key in self._views
        self._current = self._views[key] if known else None
        if known:
            self._views.move_to_end(key)
            self.counts['images_cached'] += 1
        return known

    def _remember(self, key: Hashable, view: V) -> None:
        """Make an encoded view the current one, and keep it under its key unless that is None."""
        self.counts['images_encoded'] += 1
        self._current = view
        if key is not None and self._limit:
            self._views[key] = view
            while len(self._views) > self._limit:
                self._views.popitem(last=False)

    def forget(self) -> None:
        """Clear the cache of views, and reset the counters."""
        self._views.clear()
        self._current = None
        self.counts.clear()

    @contextmanager
    def _memory(self) -> Iterator[None]:
        """Convert out-of-memory errors of a GPU to DeviceMemoryError, after releasing what is possible."""
        try:
            yield
        except torch.cuda.OutOfMemoryError as error:
            self._current = None
            self._views.clear()
            torch.cuda.empty_cache()
            raise DeviceMemoryError(
                f'the GPU is out of memory ({str(error).split(".")[0]})',
                where=self._name,
                do='ask fewer things at once, limit max_pixels, free the GPU, or use the device cpu',
            ) from error

    def _release(self) -> None:
        """Return the memory to the system, on a GPU for other programs too; a lost device is no error."""
        gc.collect()
        if self._device.type == 'cuda':
            with suppress(RuntimeError):  # after an error of CUDA every call fails, and the driver has freed the memory
                torch.cuda.synchronize(self._device)
                torch.cuda.empty_cache()
