"""ConverSeg-Net: one class for every configuration."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from converseg_ros.network.config import MiniLMConfig, NetworkConfig, QwenConfig
from converseg_ros.network.converseg.adapters import Adapters
from converseg_ros.network.converseg.decoder import MaskDecoder
from converseg_ros.network.encoders.language import LanguageEncoder
from converseg_ros.network.encoders.sam2 import Sam2ImageEncoder
from converseg_ros.network.features import Decoded, ImageFeatures, LanguageFeatures, Prompts


class ConverSegNet(nn.Module):
    """Image encoder, language encoder, adapters and SAM mask decoder, as configured by `config`.

    image_encoder(pixels (B, 3, H, W) normalized) -> ImageFeatures. language_encoder(texts, image) -> LanguageFeatures;
    `image` is the output of the language encoder's `prepare_image` (a vision-language model), or None (a text encoder).
    """

    def __init__(self, config: NetworkConfig, **parts: Any) -> None:
        """Build the modules; `parts` are passed to the language encoder (for example its tokenizer)."""
        super().__init__()
        self.config = config
        self.image_encoder = Sam2ImageEncoder(config.image)
        self.language_encoder: LanguageEncoder = _language_encoder(config, **parts)
        adapter, channels = config.adapter, config.image.channels
        self.adapters = Adapters(config.language.hidden_size, channels, adapter.hidden_size, adapter.norm_eps)
        self.decoder = MaskDecoder(channels, config.decoder)

    @property
    def all_tokens(self) -> tuple[int, ...]:
        """Return the indices of the decoder's mask tokens: 0 is the single mask, the others are the multimask ones."""
        return tuple(range(self.config.decoder.multimask_outputs + 1))

    def encode_image(self, pixels: Tensor) -> ImageFeatures:
        """Encode (B, 3, H, W) normalized pixels."""
        features: ImageFeatures = self.image_encoder(pixels)
        return features

    def encode_text(self, texts: Sequence[str], image: Any = None) -> LanguageFeatures:
        """Encode K texts, all with the same `image` if the language encoder sees."""
        features: LanguageFeatures = self.language_encoder(texts, image)
        return features

    def prompts(self, language: LanguageFeatures) -> Prompts:
        """Adapt language features, in the precision of the adapters."""
        dtype = self.adapters.to_sparse.weight.dtype
        language = language._replace(tokens=language.tokens.to(dtype), pooled=language.pooled.to(dtype))
        prompts: Prompts = self.adapters(language)
        return prompts

    def decode(
        self,
        image: ImageFeatures,
        prompts: Prompts,
        *,
        image_of: Tensor | None = None,
        tokens: Sequence[int] | None = None,
    ) -> Decoded:
        """Decode K prompts.

        image_of: (K,) the image of each prompt; not needed for a single image. tokens: which masks to compute (default:
        all).
        """
        chosen = tuple(self.all_tokens if tokens is None else tokens)
        decoded: Decoded = self.decoder(image if image_of is None else image.take(image_of), prompts, chosen)
        return decoded

    def forward(
        self,
        pixels: Tensor,
        texts: Sequence[str],
        *,
        image: Any = None,
        image_of: Tensor | None = None,
        tokens: Sequence[int] | None = None,
    ) -> Decoded:
        """Run the complete network for K texts about B images (one image, or `image_of` (K,))."""
        features = self.encode_image(pixels)
        return self.decode(features, self.prompts(self.encode_text(texts, image)), image_of=image_of, tokens=tokens)


def _language_encoder(config: NetworkConfig, **parts: Any) -> LanguageEncoder:
    """Build the language encoder of the configured family."""
    if isinstance(config.language, MiniLMConfig):
        from converseg_ros.network.encoders.minilm import MiniLMEncoder

        return MiniLMEncoder(config.language, **parts)
    assert isinstance(config.language, QwenConfig)
    from converseg_ros.network.encoders.qwen import QwenEncoder

    return QwenEncoder(config.language, **parts)
