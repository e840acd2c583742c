"""The server of the labelling page: images by key, masks as RLE, one label file written atomically."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from converseg_ros.core import Family, InputError, decode_rle, encode_rle
from converseg_ros.core.image_files import encode_image
from converseg_ros.core.segmentation import SegmentationNetwork
from converseg_ros.datasets.labels import ASSISTED, Label, read_labels, write_labels
from converseg_ros.datasets.polygons import rasterize, refine
from converseg_ros.evaluation.sources import Sources
from converseg_ros.web.guard import Limits

PAGE = Path(__file__).parent / 'label_page'
IMAGES = ('.png', '.jpg', '.jpeg', '.webp', '.bmp')
MAX_POINTS = 10_000
Point = Annotated[list[float], Field(min_length=2, max_length=2)]


@dataclass(frozen=True, slots=True)
class Picture:
    """One image to label: a file name, or a frame's stamp."""

    source: str
    image: str | int


class Polygons(BaseModel):
    """Polygons on a picture; `band`: half width in pixels in which GrabCut may move the outline."""

    picture: int
    add: list[Annotated[list[Point], Field(max_length=MAX_POINTS)]] = Field(max_length=1000)
    cut: list[Annotated[list[Point], Field(max_length=MAX_POINTS)]] = Field(default=[], max_length=1000)
    band: int = Field(default=0, ge=0, le=20)


class Click(BaseModel):
    """A request for the network's mask of the prompt; with x and y, for its component under that pixel."""

    picture: int
    prompt: str
    x: int | None = None
    y: int | None = None


class NewLabel(BaseModel):
    """A label from the page; `rle` is COCO's uncompressed RLE."""

    picture: int
    id: str = Field(min_length=1, max_length=200, pattern=r'^[\w.\-]+$')
    prompt: str
    family: Family | None = None
    sub_concept: str = Field(default='', max_length=100)
    rle: dict[str, Any]
    how: str = Field(min_length=1, max_length=300)


def pictures_of(
    paths: Sequence[Path], every: int = 1, topics: Mapping[str, str] | None = None
) -> tuple[Path, list[Picture]]:
    """Return the root and the pictures of folders, image files' folders and bags; every N-th frame of a bag."""
    if not paths:
        raise InputError('there is nothing to label', where='label', do='give folders of images or bags')
    root = paths[0].resolve().parent
    found: list[Picture] = []
    sources = Sources(root)
    for path in paths:
        path = path.resolve()
        if path.parent != root:
            raise InputError(f'is not in {root}', where=str(path), do='give sources with the same parent folder')
        if sources.is_bag(path.name):
            from converseg_ros.evaluation.bag.reader import Bag

            with Bag(path, topics) as bag:
                found += [Picture(path.name, s) for s in bag.stamps()[:: max(every, 1)]]
        elif path.is_dir():
            found += [Picture(path.name, p.name) for p in sorted(path.iterdir()) if _is_colour(p)]
        else:
            raise InputError('neither a folder of images nor a bag', where=str(path))
    if not found:
        raise InputError('no image in it', where=', '.join(map(str, paths)))
    return root, found


def _is_colour(path: Path) -> bool:
    """Return whether a file is a colour image; 16-bit depth images are not."""
    from PIL import Image

    if path.suffix.lower() not in IMAGES:
        return False
    try:
        with Image.open(path) as image:
            return image.mode in ('RGB', 'RGBA', 'L', 'P', '1', 'CMYK')
    except OSError:
        return False


class Labelling:
    """The state of the page; `network` is None if masks are only drawn manually."""

    def __init__(
        self,
        root: Path,
        pictures: Sequence[Picture],
        out: Path,
        network: SegmentationNetwork | None = None,
        topics: Mapping[str, str] | None = None,
    ) -> None:
        self.sources, self.pictures, self.out, self.network = Sources(root, topics), list(pictures), out, network
        self.labels = {x.id: x for x in read_labels(out)} if out.exists() else {}

    def picture(self, key: int) -> NDArray[np.uint8]:
        """Return the (H, W, 3) image of a key."""
        if not 0 <= key < len(self.pictures):
            raise InputError(f'there is no picture {key}', where='label')
        p = self.pictures[key]
        return self.sources.find(p.source, str(p.image)).rgb

    def state(self) -> dict[str, Any]:
        """Return the state for the page: pictures, labels (without masks), families, and whether a network assists."""
        keys = {(p.source, p.image): i for i, p in enumerate(self.pictures)}
        return {
            'pictures': [{'source': p.source, 'image': str(p.image)} for p in self.pictures],
            'labels': [
                {**x.to_json(), 'rle': None, 'picture': keys.get((x.source, x.image))} for x in self.labels.values()
            ],
            'families': [f.value for f in Family],
            'assistant': self.network.name if self.network else None,
        }

    def draw(self, request: Polygons) -> dict[str, Any]:
        """Return the RLE of polygons."""
        rgb = self.picture(request.picture)
        mask = rasterize(request.add, request.cut, *rgb.shape[:2])
        return encode_rle(refine(rgb, mask, request.band))

    def assist(self, request: Click) -> dict[str, Any]:
        """Return the network's mask for the prompt, or its component at the click."""
        import cv2

        if self.network is None:
            raise InputError('no network was given', where='label', do='start with --assist MODEL')
        self.picture(request.picture)  # checks the index
        p = self.pictures[request.picture]
        self.network.set_image(self.sources.find(p.source, str(p.image)), key=('label', request.picture))
        mask = self.network.predict([request.prompt])[0].mask
        if request.x is not None and request.y is not None:
            if not (0 <= request.x < mask.shape[1] and 0 <= request.y < mask.shape[0]):
                raise InputError('the click is outside of the image', where='label')
            _, pieces = cv2.connectedComponents(mask.astype(np.uint8))
            piece = pieces[request.y, request.x]
            mask = np.asarray(pieces == piece) if piece else np.zeros_like(mask)
        return encode_rle(mask)

    def save(self, request: NewLabel) -> Label:
        """Add a label and write the file; a mask with the help of a network must say so in `how`."""
        rgb = self.picture(request.picture)
        try:
            mask = decode_rle(request.rle)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f'not an RLE ({error})', where=request.id) from error
        if mask.shape != rgb.shape[:2]:
            raise InputError(f'the mask is {mask.shape}, the image {rgb.shape[:2]}', where=request.id)
        p = self.pictures[request.picture]
        rle = encode_rle(mask)
        label = Label(
            request.id, p.source, p.image, request.prompt, rle, request.family, request.sub_concept, request.how
        )
        self.labels[label.id] = label
        write_labels(self.out, self.labels.values())
        return label

    def remove(self, id_: str) -> None:
        """Remove a label and write the file."""
        if id_ not in self.labels:
            raise InputError('there is no such label', where=id_)
        del self.labels[id_]
        write_labels(self.out, self.labels.values())


def make_label_app(work: Labelling, *, host: str = '127.0.0.1', token: str = '') -> Any:
    """Return the guarded FastAPI application of the labelling page."""
    import cv2
    from fastapi import Response

    from converseg_ros.web.server import add_page, add_static, make_app

    app = make_app('converseg label', host=host, token=token, limits=Limits(body=16 << 20))
    add_page(app, '/', PAGE / 'index.html')
    add_static(app, '/label', PAGE)

    @app.get('/api/state')
    def state() -> dict[str, Any]:
        return {**work.state(), 'assisted': ASSISTED}

    @app.get('/api/picture/{key}')
    def picture(key: int) -> Response:
        data = encode_image(work.picture(key), '.png', options=[cv2.IMWRITE_PNG_COMPRESSION, 1])
        return Response(data, media_type='image/png')

    @app.get('/api/label/{id_}')
    def label(id_: str) -> dict[str, Any]:
        if id_ not in work.labels:
            raise InputError('there is no such label', where=id_)
        return work.labels[id_].to_json()

    @app.post('/api/polygons')
    def polygons(request: Polygons) -> dict[str, Any]:
        return work.draw(request)

    @app.post('/api/assist')
    def assist(request: Click) -> dict[str, Any]:
        return work.assist(request)

    @app.post('/api/label')
    def save(request: NewLabel) -> dict[str, Any]:
        return work.save(request).to_json()

    @app.delete('/api/label/{id_}')
    def remove(id_: str) -> dict[str, Any]:
        work.remove(id_)
        return {'removed': id_}

    return app
