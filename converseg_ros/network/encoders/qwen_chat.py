"""Qwen2.5-VL's chat format around an instruction, as token ids."""

from itertools import pairwise

from tokenizers import Tokenizer

from converseg_ros.core import InputError

SYSTEM = '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<|vision_start|>'
SPECIAL = ('<|im_start|>', '<|im_end|>', '<|vision_start|>', '<|vision_end|>', '<|image_pad|>')


class Chat:
    """The ids before the image, after it, and of an instruction; user text never becomes a special token.

    prefix_runs: slices of `prefix` that contain text; with the tokens of the instruction they are the sparse prompts.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        found = {s: tokenizer.token_to_id(s) for s in SPECIAL}
        ids = {s: i for s, i in found.items() if i is not None}
        missing = [s for s in SPECIAL if s not in ids]
        if missing:
            raise InputError(f'the tokenizer lacks {", ".join(missing)}', where='tokenizer.json', do="use Qwen2.5-VL's")
        self.prefix: list[int] = tokenizer.encode(SYSTEM, add_special_tokens=False).ids
        special = [-1, *(n for n, i in enumerate(self.prefix) if i in ids.values()), len(self.prefix)]
        self.prefix_runs = [(a + 1, b) for a, b in pairwise(special) if b > a + 1]
        self.vision_end: int = ids['<|vision_end|>']
        self.end: list[int] = [ids['<|im_end|>'], *tokenizer.encode('\n', add_special_tokens=False).ids]
        if len(self.end) != 2:
            raise InputError('a line feed is not one token', where='tokenizer.json', do="use Qwen2.5-VL's")
        tokenizer.encode_special_tokens = True

    def suffix(self, text: str) -> list[int]:
        """Return the tokens of an instruction, its end mark and the line feed."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids + self.end
