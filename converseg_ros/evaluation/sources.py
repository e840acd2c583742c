"""Sources of labelled images: folders of images and bags below one root, read by name or stamp."""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from converseg_ros.core import Frame, InputError
from converseg_ros.datasets.views import read_view
from converseg_ros.lifting.alignment import NO_OFFSET, DepthOffset

KEEP = 8  # number of cached decoded images


class Sources:
    """Finds the image of a label: `root/SOURCE` is a folder of images, or a rosbag whose frames are found by stamp."""

    def __init__(self, root: Path, topics: Mapping[str, str] | None = None, offset: DepthOffset = NO_OFFSET) -> None:
        """`topics`: {role: topic} of each bag in place of what would be chosen. offset: the depth camera of bags."""
        self.root, self.topics, self.offset = root, topics, offset
        self.cache: OrderedDict[tuple[str, str], Frame] = OrderedDict()

    def folder(self, source: str) -> Path:
        """Return the folder or bag of a source; it must be inside the root."""
        path = (self.root / source).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise InputError('leads out of the root', where=source)
        if not path.exists():
            raise InputError('there is no such folder or bag', where=str(path), do='give its parent with --root')
        return path

    def is_bag(self, source: str) -> bool:
        """Return whether a source is a rosbag."""
        path = self.folder(source)
        return path.suffix in ('.mcap', '.db3') or (path / 'metadata.yaml').is_file()

    def find(self, source: str, image: str) -> Frame:
        """Return the frame of a source by file name or stamp, with depth and camera if available."""
        key = source, image
        if key in self.cache:
            self.cache.move_to_end(key)
            return self.cache[key]
        if self.is_bag(source):
            from converseg_ros.evaluation.bag.reader import Bag

            with Bag(self.folder(source), self.topics, self.offset) as bag:
                frame = bag.frame_at(int(image))
        else:
            path = (self.folder(source) / image).resolve()
            if not path.is_relative_to(self.folder(source)):
                raise InputError('leads out of its folder', where=image)
            frame = read_view(path)
        self.cache[key] = frame
        while len(self.cache) > KEEP:
            self.cache.popitem(last=False)
        return frame
