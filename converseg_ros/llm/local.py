"""Vision-language and language models of transformers in a local folder as chat models; nothing is downloaded."""

import io
import json
from pathlib import Path
from typing import Any

from converseg_ros.core.errors import InputError
from converseg_ros.llm.chat import Question, RefusedError, Reply


class _Local:
    """What the models in a local folder have in common."""

    folder: str

    @property
    def name(self) -> str:
        """Return the folder name of the model."""
        return f'local/{Path(self.folder).resolve().name}'

    @property
    def remote(self) -> bool:
        """Return False: nothing is sent."""
        return False


class LocalChat(_Local):
    """A vision-language model with greedy decoding."""

    def __init__(self, folder: str, *, device: str | None = None, longest: int = 2000) -> None:
        """Load the folder of a model; raise InputError for another one.

        device: None selects a GPU if available, where the precision is that of the weights; a CPU computes in float32.
        longest: maximum number of tokens of an answer.
        """
        try:
            import torch
            from transformers import AutoModelForImageTextToText

            device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
            self.processor: Any = _processor(folder)
            dtype = torch.float32 if torch.device(device).type == 'cpu' else 'auto'
            model: Any = AutoModelForImageTextToText.from_pretrained(folder, local_files_only=True, dtype=dtype)
            self.network = model.to(device).eval()
        except (OSError, ValueError, ImportError) as error:
            raise InputError(
                f'not a vision-language model that transformers can load ({str(error)[:300]})',
                where=folder,
                do='give the folder of a model such as Qwen2.5-VL-7B-Instruct',
            ) from error
        self.folder, self._device, self.longest = str(folder), device, longest

    def ask(self, question: Question) -> Reply:
        """Answer by greedy decoding; the schema is part of the text, since decoding is not constrained."""
        from PIL import Image
        import torch

        images = [Image.open(io.BytesIO(data)).convert('RGB') for data in question.images]
        text = f'{question.text}\nAnswer with JSON of this schema only:\n{json.dumps(question.schema)}'
        messages = [
            {'role': 'system', 'content': [{'type': 'text', 'text': question.system}]},
            {'role': 'user', 'content': [*({'type': 'image'} for _ in images), {'type': 'text', 'text': text}]},
        ]
        prompt = self.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        inputs = self.processor(text=[prompt], images=images, return_tensors='pt').to(self._device)
        length = inputs['input_ids'].shape[1]
        with torch.inference_mode():
            out = self.network.generate(
                **inputs, max_new_tokens=min(self.longest, question.max_tokens), do_sample=False
            )
        answer = self.processor.batch_decode(out[:, length:], skip_special_tokens=True)[0]
        return Reply(answer, int(length), int(out.shape[1] - length))


class LocalTextChat(_Local):
    """A text-only model with greedy decoding and a limit of `timeout` seconds."""

    def __init__(self, folder: str, *, timeout: float = 120.0) -> None:
        if not Path(folder).is_dir():
            raise InputError('the folder does not exist', where=folder, do='give the folder of a transformers model')
        try:
            from transformers import AutoModelForCausalLM, AutoTokenizer

            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self.network: Any = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True).eval()
        except (OSError, ValueError, ImportError) as error:
            raise InputError(
                f'not a language model that transformers can load ({str(error)[:300]})', where=folder
            ) from error
        self.folder, self.timeout = folder, timeout

    def ask(self, question: Question) -> Reply:
        """Answer by greedy decoding; raise RefusedError for a question with images."""
        import torch

        if question.images:
            raise RefusedError('this model reads text only')
        messages = [{'role': 'system', 'content': question.system}, {'role': 'user', 'content': question.text}]
        if getattr(self._tokenizer, 'chat_template', None):
            prompt = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        else:
            prompt = '\n\n'.join(m['content'] for m in messages) + '\n\nJSON: '
        inputs = self._tokenizer(prompt, return_tensors='pt').to(self.network.device)
        length = inputs['input_ids'].shape[1]
        with torch.inference_mode():
            out = self.network.generate(
                **inputs, max_new_tokens=question.max_tokens, do_sample=False, max_time=self.timeout
            )
        answer = self._tokenizer.decode(out[0, length:], skip_special_tokens=True)
        return Reply(str(answer), int(length), int(out.shape[1] - length))


def _processor(folder: str) -> Any:
    """Return the processor of the folder, or one for images alone if its video part needs torchvision."""
    from transformers import AutoProcessor

    try:
        return AutoProcessor.from_pretrained(folder, local_files_only=True)
    except (ImportError, AttributeError):
        return ImageTextProcessor(folder)


class ImageTextProcessor:
    """Prepares text and images for the Qwen2-VL family without its video processor, which needs torchvision.

    The image processor divides images into patches of `image_grid_thw`; the placeholder of an image is repeated for
    every block of merge_size x merge_size patches. `mm_token_type_ids` marks these tokens; without it transformers 5
    gives them the positions of text.
    """

    def __init__(self, folder: str) -> None:
        from transformers import AutoConfig, AutoImageProcessor, AutoTokenizer

        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        self._image_token: int = getattr(config, 'image_token_id', -1)
        self._images: Any = AutoImageProcessor.from_pretrained(folder, local_files_only=True, backend='pil')
        if self._image_token < 0 or not hasattr(self._images, 'merge_size'):
            raise InputError(
                f'the processor of {config.model_type} needs torchvision', where=folder, do='pip install torchvision'
            )
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._template = self.tokenizer.chat_template or _chat_template(Path(folder))

    def apply_chat_template(
        self, messages: list[dict[str, Any]], *, add_generation_prompt: bool, tokenize: bool
    ) -> str:
        """Return the conversation in the text format of the model."""
        text: str = self.tokenizer.apply_chat_template(
            messages, chat_template=self._template, add_generation_prompt=add_generation_prompt, tokenize=tokenize
        )
        return text

    def __call__(self, *, text: list[str], images: list[Any], return_tensors: str) -> Any:
        """Return token ids, masks and patches of one conversation."""
        from transformers import BatchFeature

        pictures = self._images(images=images, return_tensors=return_tensors) if images else {}
        ids: list[int] = self.tokenizer(text[0], add_special_tokens=False)['input_ids']
        block = self._images.merge_size**2
        counts = [int(grid.prod()) // block for grid in pictures.get('image_grid_thw', [])]
        if ids.count(self._image_token) != len(counts):
            raise InputError(
                f'{len(counts)} images, {ids.count(self._image_token)} placeholders for them', where='chat template'
            )
        wide: list[int] = []
        for token in ids:
            wide += [token] * counts.pop(0) if token == self._image_token else [token]
        kinds = [int(t == self._image_token) for t in wide]
        data = {'input_ids': [wide], 'attention_mask': [[1] * len(wide)], 'mm_token_type_ids': [kinds], **pictures}
        return BatchFeature(data, tensor_type=return_tensors)

    def batch_decode(self, ids: Any, *, skip_special_tokens: bool) -> list[str]:
        """Return the text of rows of token ids."""
        rows: list[str] = self.tokenizer.batch_decode(ids, skip_special_tokens=skip_special_tokens)
        return rows


def _chat_template(folder: Path) -> str:
    """Return the chat template that a folder stores in a separate file."""
    if (folder / 'chat_template.jinja').is_file():
        return (folder / 'chat_template.jinja').read_text()
    if (folder / 'chat_template.json').is_file():
        return str(json.loads((folder / 'chat_template.json').read_text())['chat_template'])
    raise InputError('no chat template', where=str(folder), do='use an instruction-tuned model')
