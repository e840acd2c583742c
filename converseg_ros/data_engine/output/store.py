"""The data set folder: one journal per image, items committed one by one, and an index that is written at the end."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from converseg_ros.core.errors import InputError, parsing, writing
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
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open('ab') as f:
                size = f.tell()
                try:
                    f.write(line)
                    f.flush()
                    os.fsync(f.fileno())
                except OSError:
                    f.truncate(size)
                    raise


class Published(NamedTuple):
    """What an index contains: the number of its items, and the summary of each finished image by key."""

    items: int
    summaries: dict[str, dict[str, Any]]


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
            with writing(folder):
                write_json(path, settings)

    def journal(self, key: str) -> Journal:
        """Return the journal of an image."""
        return Journal(self.folder / 'store' / key[:2] / f'{key}.jsonl')

    def publish(self, keys: list[str]) -> Published:
        """Write items.jsonl and regions.jsonl of the finished images atomically, in the order of `keys`."""
        items: list[str] = []
        labels: list[str] = []
        summaries: dict[str, dict[str, Any]] = {}
        for key in dict.fromkeys(keys):
            journal = self.journal(key)
            if journal.summary is None:
                continue
            summaries[key] = journal.summary
            items += [json.dumps(item.to_json(), ensure_ascii=False) for item in journal.items.values()]
            if journal.labels is not None:
                labels.append(json.dumps(journal.labels, ensure_ascii=False))
        with writing(self.folder):
            write_text(self.folder / 'items.jsonl', ''.join(f'{line}\n' for line in items))
            write_text(self.folder / LABELS, ''.join(f'{line}\n' for line in labels))
        return Published(len(items), summaries)

    def describe(self, manifest: dict[str, Any]) -> None:
        """Write manifest.json atomically."""
        with writing(self.folder):
            write_json(self.folder / 'manifest.json', manifest)


def read_rejects(folder: Path) -> list[tuple[Item, str]]:
    """Return the rejected pairs with the reasons from the journals of a data set folder."""
    journals = sorted((folder / 'store').rglob('*.jsonl'))
    return [pair for path in journals for pair in Journal(path).rejects.values()]
