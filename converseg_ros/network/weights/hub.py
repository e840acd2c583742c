"""Fetch released weights from the Hugging Face hub on request: licences first, resumable, checksums verified."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
import hashlib
import os
from pathlib import Path, PurePosixPath
import re
from typing import Any

from converseg_ros.core import ConversegError, InputError
from converseg_ros.network.weights.catalogue import APACHE, MIT, entry
from converseg_ros.network.weights.reference import HUB_SOURCE, QWEN_SOURCE

RELEASE = 'converseg-net-3b'
TRANSFORMERS = ('*.json', '*.safetensors', '*.txt', '*.model', '*.jinja', 'LICENSE*', 'README*')
PERMISSIVE = (APACHE, MIT)
SAM_LICENCE = 'Apache-2.0 (SAM 2, Meta)'
QWEN_LICENCES = {
    'Qwen/Qwen2.5-VL-3B-Instruct': 'Qwen Research Licence: not for commercial use',
    'Qwen/Qwen2.5-VL-7B-Instruct': 'Apache-2.0',
}


@dataclass(frozen=True, slots=True)
class Part:
    """Files of one hub repository, and their location in the model folder."""

    repo: str
    patterns: tuple[str, ...]
    folder: str
    licence: str


def parts_of(name: str, repo: str | None = None, language: str | None = None) -> list[Part]:
    """Return the parts of a model.

    name: of the catalogue, or OWNER/NAME of a hub repository in the format of transformers. repo and language name
    other repositories in the format of converseg-net-3b.
    """
    if repo is None and name != RELEASE:
        if re.fullmatch(r'[\w-][\w.-]*/[\w-][\w.-]*', name):
            return [Part(name, TRANSFORMERS, '', f'see https://huggingface.co/{name}')]
        known = entry(name)
        if not known.repo:
            raise InputError('nothing has to be fetched', where=name, do='it comes with the package')
        return [Part(known.repo, TRANSFORMERS, '', known.licence)]
    repo, language = repo or HUB_SOURCE, language or QWEN_SOURCE
    qwen = QWEN_LICENCES.get(language, f'see https://huggingface.co/{language}')
    weights = f'see https://huggingface.co/{repo}; derived from SAM 2 ({SAM_LICENCE}) and {language} ({qwen})'
    return [
        Part(repo, ('*_sam2_*.torch*', '*_plm_*.torch*', 'lora_plm_adapter_*/*', 'LICENSE*', 'README*'), '', weights),
        # Tokenizer and configuration only: the checkpoint above contains the weights of the language model.
        Part(language, ('config.json', 'tokenizer.json', 'preprocessor_config.json', 'LICENSE*'), language, qwen),
    ]


def fetch(parts: list[Part], target: Path, say: Callable[[str], None] = print) -> list[Path]:
    """Download all parts to `target`, resuming earlier downloads; return the files.

    Raises ConversegError if the hub cannot be reached, has another licence than the accepted one, or if a checksum
    differs.
    """
    from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_url

    endpoint = os.environ.get('HF_ENDPOINT') or None  # a mirror, read now instead of at import time
    files: list[Path] = []
    for part in parts:
        folder = target / part.folder
        try:
            for name in _names(part, HfApi(endpoint=endpoint).model_info(part.repo)):
                url = hf_hub_url(part.repo, name, endpoint=endpoint)
                meta = get_hf_file_metadata(url, endpoint=endpoint)
                path = folder / name
                if not _matches(path, meta.etag or '', meta.size):
                    say(f'{part.repo}/{name} ({(meta.size or 0) / 1e6:.1f} MB)')
                    _download(url, path, meta.etag or '', meta.size)
                if not _matches(path, meta.etag or '', meta.size):
                    path.unlink(missing_ok=True)
                    raise ConversegError("the checksum is not the hub's", where=str(path), do='fetch again')
                files.append(path)
        except ConversegError:
            raise
        except Exception as error:  # the hub library's HTTP client, and so its errors, depend on its version
            raise ConversegError(
                f'the hub did not answer as expected ({type(error).__name__}: {str(error).splitlines()[0]})',
                where=part.repo,
                do='check the network (and HF_TOKEN, if access is restricted), then fetch again: it is resumed',
            ) from error
    return files


def _names(part: Part, info: Any) -> list[str]:
    """Return the required files of a repository; raise ConversegError if they must not be downloaded."""
    stated = str(getattr(info.card_data, 'license', None) or '')
    if part.licence in PERMISSIVE and stated and stated.lower() != part.licence.lower():
        raise ConversegError(
            f'the hub states the licence {stated[:60]!r}, the one that was accepted is {part.licence}',
            where=part.repo,
            do=f'read https://huggingface.co/{part.repo}; to accept that: converseg weights fetch {part.repo} --accept',
        )
    siblings = [s.rfilename for s in info.siblings or []]
    names = sorted(n for n in siblings if any(fnmatch(n, p) for p in part.patterns))
    if not names:
        raise ConversegError('the repository has none of the files', where=part.repo, do='is the name right?')
    if part.patterns == TRANSFORMERS and not any(n.endswith('.safetensors') for n in names):
        raise ConversegError('the repository has no safetensors', where=part.repo, do='choose another one')
    outside = [n for n in names if PurePosixPath(n).is_absolute() or '..' in PurePosixPath(n).parts]
    if outside:
        raise ConversegError(
            f'a file would be written outside: {outside[0][:80]!r}', where=part.repo, do='do not use it'
        )
    return names


def _download(url: str, path: Path, etag: str, size: int | None) -> None:
    """Download a file, resuming an earlier download.

    Incomplete data are stored in a separate file, named by the version on the hub; the hub library's own download
    deletes them on failure.
    """
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'{path.name}.{re.sub("[^0-9a-zA-Z]", "", etag)[:12]}.part')
    if size is not None and part.exists() and part.stat().st_size > size:
        part.unlink()
    with part.open('ab') as file:
        http_get(url, file, resume_size=file.tell(), headers=build_hf_headers(), expected_size=size)
    part.replace(path)


def _matches(path: Path, etag: str, size: int | None) -> bool:
    """Return whether a file has the checksum of the hub: SHA-256 for large files, git's blob hash for small ones."""
    if not path.is_file() or (size is not None and path.stat().st_size != size):
        return False
    if not re.fullmatch(r'[0-9a-f]{40}|[0-9a-f]{64}', etag):
        return size is not None  # without a checksum only the size can be compared
    digest = hashlib.sha256() if len(etag) == 64 else hashlib.sha1(f'blob {path.stat().st_size}\0'.encode())
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == etag
