"""The data set folder: one journal per image, items committed one by one, and an index that is written at the end."""

from collections.abc import Iterator
import json
import os
from pathlib import Path
from typing import Any

from converseg_ros.core.errors import ConversegError, InputError, parsing
from converseg_ros.core.files import write_json, write_text
from converseg_ros.core.item import Item
from converseg_ros.datasets.regions import LABELS


class Journal:
    """The items of one image; a line is committed once it ends with a newline and is on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.items: dict[str, Item] = {}
        self.rejects: dict[str, tuple[Item, str]] = {}
        self.labels: dict[str, Any] | None = None
        self.summary: dict[str, Any] | None = None
        if path.is_file():
            self._read()

    def _read(self) -> None:
        data = self.path.read_bytes()
        whole = data.rfind(b'\n') + 1
        for line in data[:whole].splitlines():
            with parsing('a line of a journal', self.path, 'delete this file; only its image is made again'):
                row = json.loads(line)
                if 'item' in row:
                    item = Item.from_json(row['item'])
                    self.items[item.id] = item
                elif 'rejected' in row:
                    item = Item.from_json(row['rejected'])
                    self.rejects[item.id] = item, row['why']
                elif 'labels' in row:
                    self.labels = row['labels']
                elif 'done' in row:
                    self.summary = row['done']
        if whole < len(data):  # the process was killed while writing a line
            with self.path.open('r+b') as f:
                f.truncate(whole)

    @property
    def done(self) -> bool:
        """Return whether the image is finished."""
        return self.summary is not None

    def commit(self, item: Item) -> None:
        """Add an item; it survives a kill once this returns."""
        self._append({'item': item.to_json()})
        self.items[item.id] = item

    def reject(self, item: Item, why: str) -> None:
        """Record a pair that stage 5 rejected, for review; it is not part of the data set."""
        if item.id not in self.rejects:
            self._append({'rejected': item.to_json(), 'why': why})
            self.rejects[item.id] = item, why

    def label(self, labels: dict[str, Any]) -> None:
        """Record the verified regions of the image, once."""
        if self.labels is None:
            self._append({'labels': labels})
            self.labels = labels

    def finish(self, summary: dict[str, Any]) -> None:
        """Mark the image as finished, with a summary."""
        self._append({'done': summary})
        self.summary = summary

    def _append(self, row: dict[str, Any]) -> None:
        line = json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b'\n'
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            size = self.path.stat().st_size if self.path.exists() else 0
            with self.path.open('ab') as f:
                try:
                    f.write(line)
                    f.flush()
                    os.fsync(f.fileno())
                except OSError:
                    f.truncate(size)
                    raise
        except OSError as error:
            raise ConversegError(
                f'cannot write ({error.strerror})',
                where=str(self.path),
                do='free disk space, then run the same command again',
            ) from error


class Store:
    """A data set folder under construction; several shards may work on it, each on its own images."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        path = folder / 'settings.json'
        if path.is_file():
            found = json.loads(path.read_text())
            if found != settings:
                changed = ', '.join(sorted(k for k in {*found, *settings} if found.get(k) != settings.get(k)))
                raise InputError(
                    f'was made with other settings ({changed})', where=str(folder), do='name another output folder'
                )
        else:
            try:
                write_json(path, settings)
            except OSError as error:
                raise ConversegError(f'cannot write ({error.strerror})', where=str(folder)) from error

    def journal(self, key: str) -> Journal:
        """Return the journal of an image."""
        return Journal(self.folder / 'store' / key[:2] / f'{key}.jsonl')

    def collect(self, keys: list[str]) -> Iterator[Item]:
        """Yield the committed items of finished images, in the order of `keys`."""
        for key in dict.fromkeys(keys):
            journal = self.journal(key)
            if journal.done:
                yield from journal.items.values()

    def publish(self, keys: list[str], manifest: dict[str, Any]) -> int:
        """Write items.jsonl, regions.jsonl and manifest.json atomically; return the number of items."""
        lines = [json.dumps(item.to_json(), ensure_ascii=False) for item in self.collect(keys)]
        finished = [journal for key in dict.fromkeys(keys) if (journal := self.journal(key)).done]
        labels = [json.dumps(j.labels, ensure_ascii=False) for j in finished if j.labels is not None]
        try:
            write_text(self.folder / 'items.jsonl', ''.join(f'{line}\n' for line in lines))
            write_text(self.folder / LABELS, ''.join(f'{line}\n' for line in labels))
            write_json(self.folder / 'manifest.json', {**manifest, 'items': len(lines)})
        except OSError as error:
            raise ConversegError(
                f'cannot write ({error.strerror})',
                where=str(self.folder),
                do='free disk space, then run the same command again',
            ) from error
        return len(lines)


def read_rejects(folder: Path) -> list[tuple[Item, str]]:
    """Return the rejected pairs with the reasons from the journals of a data set folder."""
    journals = sorted((folder / 'store').rglob('*.jsonl'))
    return [pair for path in journals for pair in Journal(path).rejects.values()]
