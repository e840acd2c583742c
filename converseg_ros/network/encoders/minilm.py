"""MiniLM as a language encoder (Wang et al., arXiv 2002.10957; the sentence-transformers fine-tuning).

The weights shipped with `compact` have a vocabulary pruned to printable ASCII and matrices in int8 with one scale per
row.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from converseg_ros.core import InputError
from converseg_ros.core.instruction import without_closing_marks
from converseg_ros.knowledge.english import unreadable
from converseg_ros.network.config import MiniLMConfig
from converseg_ros.network.encoders.language import LanguageEncoder
from converseg_ros.network.features import LanguageFeatures
from converseg_ros.network.file_names import TOKENIZER

SCALE = '.row_scale'  # suffix of the scales of an int8 matrix in a file


class MiniLMEncoder(LanguageEncoder):
    """A BERT of six layers; tokens are its last hidden states, the pooled vector is their mean."""

    def __init__(self, config: MiniLMConfig, tokenizer: Any = None) -> None:
        """Build from `config.options` (vocab_size, layers, heads, mlp_dim); tokenizer: a `tokenizers.Tokenizer`."""
        super().__init__()
        from transformers import BertConfig, BertModel

        options = {'vocab_size': 30522, 'layers': 6, 'heads': 12, 'mlp_dim': 1536, 'positions': 512} | config.options
        settings = BertConfig(
            vocab_size=options['vocab_size'],
            hidden_size=config.hidden_size,
            num_hidden_layers=options['layers'],
            num_attention_heads=options['heads'],
            intermediate_size=options['mlp_dim'],
            max_position_embeddings=options['positions'],
        )
        self.config = config
        self.tokenizer = tokenizer
        self.bert = BertModel(settings, add_pooling_layer=False)

    def forward(self, texts: Sequence[str], image: Any = None) -> LanguageFeatures:
        """Encode K texts; `image` is not used. Leading and trailing punctuation is ignored.

        Texts with more than `max_tokens` tokens are truncated: call `unreadable` first if that matters.
        """
        encoded = self._tokens(texts)
        last = self.tokenizer.token_to_id('[SEP]')
        limit = self.config.max_tokens
        encoded = [ids if len(ids) <= limit else [*ids[: limit - 1], last] for ids in encoded]
        length = max(len(ids) for ids in encoded)
        device = self.bert.embeddings.word_embeddings.weight.device
        ids = torch.tensor([i + [0] * (length - len(i)) for i in encoded], device=device)
        mask = torch.tensor([[k < len(i) for k in range(length)] for i in encoded], device=device)
        hidden = self.bert(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        weight = mask[..., None].to(hidden.dtype)
        return LanguageFeatures(hidden, mask, (hidden * weight).sum(1) / weight.sum(1))

    def unreadable(self, text: str) -> str:
        """Return why a text cannot be encoded faithfully: it is not English, or longer than `max_tokens`."""
        why = unreadable(text)
        if why:
            return why
        count = len(self._tokens([text])[0])
        return f'it has {count} tokens, the limit is {self.config.max_tokens}' if count > self.config.max_tokens else ''

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text."""
        if self.tokenizer is None:
            raise InputError('the text encoder has no tokenizer', where='compact', do=f'give its folder {TOKENIZER}')
        return [e.ids for e in self.tokenizer.encode_batch([without_closing_marks(t) for t in texts])]


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer of a model folder."""
    from tokenizers import Tokenizer

    path = folder / TOKENIZER
    if not path.is_file():
        raise InputError('there is no tokenizer', where=str(path), do='the model folder is not whole: fetch it again')
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def from_int8(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `state` with each int8 matrix times its scale per row (NAME.row_scale), in float32; the rest unchanged."""
    out = {}
    for name, value in state.items():
        if name.endswith(SCALE):
            continue
        scale = state.get(name + SCALE)
        out[name] = value if scale is None else value.float() * scale[:, None]
    return out
