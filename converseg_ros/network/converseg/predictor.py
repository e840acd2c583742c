"""The predictor of kind `converseg`: set one image, answer many queries."""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from converseg_ros.core import ConversegError, InputError, Prediction, Role, Status
from converseg_ros.core.segmentation import Query, View, as_frame, as_queries
from converseg_ros.core.stages import Checkpoint, Stage
from converseg_ros.network.calibration import Calibration, ScoredAnswer, fit_calibration
from converseg_ros.network.config import NetworkConfig, Preprocess, Select
from converseg_ros.network.converseg import selection
from converseg_ros.network.converseg.batching import join_rows, split_rows
from converseg_ros.network.converseg.model import ConverSegNet
from converseg_ros.network.converseg.postprocess import read
from converseg_ros.network.converseg.preprocess import clear_caches, normalise, to_input
from converseg_ros.network.features import Decoded, ImageFeatures, Prompts
from converseg_ros.network.graphs import BUCKETS, COUNTS, Graphs, bucket
from converseg_ros.network.options import Options, device_of
from converseg_ros.network.precision import precision_on, set_precision
from converseg_ros.network.stage_timer import StageTimer
from converseg_ros.network.views import ViewNetwork


@dataclass(slots=True)
class _Image:
    """An encoded image; `ready` is an event that is recorded when a GPU has its features."""

    rgb: NDArray[np.uint8]
    features: ImageFeatures
    stages: StageTimer
    ready: Any = None
    seen: Any = None  # the input of the language encoder
    prompts: OrderedDict[str, Prompts] = field(default_factory=OrderedDict)

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows and columns."""
        return int(self.rgb.shape[0]), int(self.rgb.shape[1])


class Predictor(ViewNetwork[_Image]):
    """A network for inference; implements core.segmentation.SegmentationNetwork. Not thread-safe.

    counts: images_encoded, images_cached, texts_encoded, texts_cached, prefixes_encoded, prefixes_cached, decodes.
    """

    calibration: Calibration | None

    def __init__(
        self,
        network: ConverSegNet,
        *,
        name: str = '',
        calibration: Calibration | None = None,
        device: str | torch.device | None = None,
        options: Options | None = None,
    ) -> None:
        self.options = options or Options()
        self.config: NetworkConfig = network.config
        super().__init__(name or f'{self.config.name} {self.config.version}', device_of(device), self.options.images)
        self.calibration = calibration
        gpu = self._device.type == 'cuda'
        self.dtype = precision_on(self.options.precision, self._device)
        self._select: Select = self.options.select or self.config.select
        self._preprocess: Preprocess = self.options.preprocess or self.config.preprocess
        self._tokens = selection.tokens(self._select, self.config.decoder.multimask_outputs)
        self.graphs = Graphs(gpu and self.options.graphs, self._device)
        self._network: ConverSegNet | None = self._prepare(network)
        self._side = torch.cuda.Stream(self._device) if gpu else None
        self._texts: OrderedDict[str, Prompts] = OrderedDict()

    def _prepare(self, network: ConverSegNet) -> ConverSegNet:
        """Freeze, cast and move the network; connect its language encoder to the graphs."""
        network = network.eval().requires_grad_(False)
        network.image_encoder.freeze()
        set_precision(network, self.dtype)
        network = network.to(self._device)
        encoder = network.language_encoder
        if self.options.max_pixels is not None:
            encoder.limit_pixels(self.options.max_pixels)
        if self.graphs.enabled:
            encoder.accelerate(self.graphs.run, lambda length: bucket(length, BUCKETS))
        return network

    @property
    def network(self) -> ConverSegNet:
        """Return the network; raise ConversegError after close()."""
        if self._network is None:
            raise ConversegError('the network was closed', where=self._name, do='load it again')
        return self._network

    @property
    def features(self) -> ImageFeatures:
        """Return the features of the current image; raise ConversegError without one."""
        return self._view().features

    @torch.inference_mode()
    def set_image(self, view: View, key: Hashable = None) -> None:
        """Encode the RGB image of a view; an image with a recent `key` is cached. On a GPU this is asynchronous."""
        network, rgb = self.network, as_frame(view).rgb
        whole = None if key is None else (key, rgb.shape[:2])
        if not self._recall(whole):
            with self._memory():
                self._remember(whole, self._encode_image(network, rgb))

    @torch.inference_mode()
    def predict(self, queries: Sequence[Query | str], *, checkpoint: Checkpoint | None = None) -> list[Prediction]:
        """Answer K queries on the current image; see SegmentationNetwork. Stages: text, decode, masks.

        This network only reads texts; raise InputError for a query with a program.
        """
        network, image = self.network, self._view()
        asked = as_queries(queries)
        if any(q.program is not None for q in asked):
            raise InputError('this network executes no programs', where=self._name, do='use a model of kind things')
        if not asked:
            return []
        unread = [self.unreadable(q.text) for q in asked]
        if any(unread):
            read_ones = [q for q, why in zip(asked, unread) if not why]
            answered = iter(Predictor.predict(self, read_ones, checkpoint=checkpoint))
            empty = np.zeros(image.shape, np.bool_)
            return [Prediction(empty, 0.0, Status.ERROR, why) if why else next(answered) for why in unread]
        texts, recalls = [q.text for q in asked], [q.role == Role.SAFETY for q in asked]
        check = checkpoint or (lambda stage: None)
        stages = StageTimer(self._device)
        with self._memory():
            check(Stage.TEXT)
            with stages.stage(Stage.TEXT):
                prompts = self._prompts(network, image, texts)
            check(Stage.DECODE)
            with stages.stage(Stage.DECODE):
                if image.ready is not None:
                    torch.cuda.current_stream(self._device).wait_event(image.ready)
                logits, objects = self._decode(image.features, prompts)
            check(Stage.MASKS)
            with stages.stage(Stage.MASKS):
                answers = read(
                    logits,
                    objects,
                    image.rgb,
                    size=self.config.image.image_size,
                    preprocess=self._preprocess,
                    outline=self.options.outline or self.config.outline,
                    threshold=self.calibration.mask_threshold if self.calibration else 0.5,
                    maps=self.calibrated if self.options.probability is None else self.options.probability,
                    recall=recalls,
                )
            milliseconds = image.stages.milliseconds() | stages.milliseconds()
        image.stages = StageTimer(self._device)  # the time of encoding is reported once
        return [answer.prediction(self.calibration, r, milliseconds) for answer, r in zip(answers, recalls)]

    def unreadable(self, text: str) -> str:
        """Return why the language encoder cannot read a text, '' if it can; Qwen reads many languages."""
        return self.network.language_encoder.unreadable(text)

    def calibrate(self, scored: Sequence[ScoredAnswer], provenance: dict[str, Any]) -> Calibration:
        """Return a calibration fitted on scored answers of this predictor, which must be uncalibrated."""
        known = [s for s in scored if s.object_score is not None]
        return fit_calibration(
            [s.object_score or 0.0 for s in known],
            [bool(s.positive) for s in known],
            [s.iou for s in known],
            mask_scores=[s.mask_score or 0.0 for s in known],
            groups=[s.image_id for s in known],
            provenance=provenance | {'items': len(known)},
        )

    def warm_up(self, shapes: Sequence[tuple[int, int]] = ((480, 640),), prompts: Sequence[int] = (1, 8)) -> None:
        """Run once for each image shape and number of instructions, so that later calls record no graphs."""
        generator = np.random.default_rng(0)
        for shape in shapes:
            for count in prompts:
                self.set_image(generator.integers(0, 256, (*shape, 3), dtype=np.uint8))
                for words in (4, 12):
                    self.predict([' '.join(['thing'] * words + [str(i)]) for i in range(count)])
        self.forget()

    def forget(self) -> None:
        """Clear the caches of images and instructions, and reset the counters."""
        super().forget()
        self._texts.clear()

    def close(self) -> None:
        """Release the memory, on a GPU for other programs too."""
        self.graphs.clear()
        self.forget()
        self._network = None
        clear_caches()
        self._release()

    def _encode_image(self, network: ConverSegNet, rgb: NDArray[np.uint8]) -> _Image:
        """Encode an image; on a GPU on a separate stream, in parallel with the language encoder."""
        stages = StageTimer(self._device)
        image = self.config.image
        with stages.stage(Stage.PREPROCESS):
            pixels = to_input(rgb, image.image_size, self._preprocess)
        if self._side is None:
            with stages.stage(Stage.IMAGE):
                features = network.encode_image(normalise(pixels, image.mean, image.std, self.dtype))
            return _Image(rgb, features, stages)
        main = torch.cuda.current_stream(self._device)
        self._side.wait_stream(main)
        with torch.cuda.stream(self._side), stages.stage(Stage.IMAGE):
            uploaded = pixels.pin_memory().to(self._device, non_blocking=True)
            scaled = normalise(uploaded, image.mean, image.std, self.dtype)
            features = self.graphs.run(network.encode_image, 'image', scaled)
            ready = torch.cuda.Event()
            ready.record()
        # Memory of the side stream is only allocated here, after all earlier work of the main stream, so that the
        # features need no record_stream: freeing a recorded tensor of a lost device would end the process.
        return _Image(rgb, features, stages, ready)

    def _prompts(self, network: ConverSegNet, image: _Image, texts: Sequence[str]) -> list[Prompts]:
        """Return one row of prompts for each text; known texts (on this image, if the encoder sees it) are cached."""
        encoder = network.language_encoder
        cache = image.prompts if encoder.sees else self._texts
        new = [t for t in dict.fromkeys(texts) if t not in cache]
        self.counts['texts_cached'] += len(texts) - len(new)
        self.counts['texts_encoded'] += len(new)
        found = {t: cache[t] for t in texts if t in cache}
        if new:
            if encoder.sees:
                if image.seen is None:
                    image.seen = encoder.prepare_image(image.rgb)
                self.counts['prefixes_cached' if image.seen.keys else 'prefixes_encoded'] += 1
            rows = split_rows(network.prompts(network.encode_text(new, image.seen)))
            found |= dict(zip(new, rows))
        for text in texts:
            cache[text] = found[text]
            cache.move_to_end(text)
        while len(cache) > max(self.options.texts, 0):
            cache.popitem(last=False)
        return [found[t] for t in texts]

    def _decode(self, features: ImageFeatures, rows: list[Prompts]) -> tuple[Tensor, Tensor]:
        """Return (K, h, w) logits and (K,) object score logits, decoded in chunks that limit the memory."""
        logits, objects = [], []
        chunk = max(self.options.chunk, 1)
        for start in range(0, len(rows), chunk):
            batch = rows[start : start + chunk]
            self.counts['decodes'] += 1
            decoded = self.decode_batch(features, batch)
            mask, _ = selection.choose(decoded, self._select)
            logits.append(mask[: len(batch)])
            objects.append(decoded.object_score[: len(batch)])
        return torch.cat(logits), torch.cat(objects)

    def decode_batch(self, features: ImageFeatures, batch: list[Prompts]) -> Decoded:
        """Decode the prompts of K texts, one element for each, at once.

        With CUDA graphs the prompts are padded to a fixed number and length, and the output has more than K rows.
        """
        network = self.network
        if not self.graphs.enabled:
            return network.decode(features, join_rows(batch), tokens=self._tokens)
        count = bucket(len(batch), COUNTS)
        length = bucket(max(len(p.sparse[0]) for p in batch), BUCKETS)
        prompts = join_rows([*batch, *[batch[0]] * (count - len(batch))], length)
        assert prompts.mask is not None

        def decode(embedding: Tensor, s4: Tensor, s8: Tensor, sparse: Tensor, mask: Tensor, dense: Tensor) -> Decoded:
            image = ImageFeatures(embedding, (s4, s8))
            return network.decode(image, Prompts(sparse, mask, dense), tokens=self._tokens)

        tensors = (*features.tensors(), prompts.sparse, prompts.mask, prompts.dense)
        decoded: Decoded = self.graphs.run(decode, 'decode', *tensors)
        return decoded
