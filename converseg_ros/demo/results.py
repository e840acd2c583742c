"""Write the results of the demo: pictures, clouds, a table and an HTML page."""

from collections.abc import Sequence
from pathlib import Path
import shutil

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import PointCloud2

from converseg_ros.core import GeometryStatus, Instruction, Role, Status
from converseg_ros.core.files import write_json
from converseg_ros.core.image_files import write_image
from converseg_ros.core.overlay import Layer, draw_overlay
from converseg_ros.demo.recorder import Recorder
from converseg_ros.lifting.clouds import unpack_rgb
from converseg_ros.lifting.export import write_ply
from converseg_ros.msg import Region
from converseg_ros.ros.messages import conversion
from converseg_ros.web.demo_page import Answer, DemoPage, write_demo_page

STRIP = 8  # number of pictures of other answered frames


def write_results(
    out: Path, recorder: Recorder, images: dict[int, NDArray[np.uint8]], asked: Sequence[Instruction], bag_name: str
) -> bool:
    """Write everything into `out`; return whether every instruction was answered. images: colour by stamp in ns.

    The frame that is shown is the middle one of those that answer all instructions; the choice does not depend on the
    answers.
    """
    full = sorted(s for s, regions in recorder.regions.items() if len(regions) >= len(asked) and s in images)
    if not full:
        print('no frame was answered')
        return False
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with_cloud = [s for s in full if s in recorder.clouds['points']] or full
    shown = with_cloud[len(with_cloud) // 2]
    regions = recorder.regions[shown]
    rgb = images[shown]
    xyz, colors = _scene(recorder, shown)
    answers = [_answer(out, n, r, rgb, xyz, colors) for n, r in enumerate(regions)]
    clouds = _role_clouds(out, recorder, shown)
    write_image(out / 'overlay.png', draw_overlay(rgb, [_layer(r) for r in regions]))
    strip = []
    for n, stamp in enumerate(_spread(full, STRIP)):
        name = f'frame_{n:02d}.jpg'
        picture = draw_overlay(images[stamp], [_layer(r, caption=False) for r in recorder.regions[stamp]])
        write_image(out / name, picture, quality=85)
        strip.append(name)
    model = regions[0].model
    notes = [f'{len(full)} frames were answered; pictures and table show the middle one.']
    if not regions[0].calibrated:
        notes.append('This model is not calibrated: scores are a ranking, and only an empty mask is NO_TARGET.')
    page = DemoPage('What the robot understood', model, bag_name, answers, 'overlay.png', clouds, strip, notes)
    write_demo_page(out / 'index.html', page)
    fields = Answer.__dataclass_fields__
    write_json(out / 'answers.json', [{f: getattr(a, f) for f in fields} for a in answers])
    _print_table(answers)
    return True


def _answer(
    out: Path,
    number: int,
    region: Region,
    rgb: NDArray[np.uint8],
    xyz: NDArray[np.float32] | None,
    colors: NDArray[np.uint8] | None,
) -> Answer:
    """Write the files of one instruction and return its row."""
    mask = conversion.from_image(region.mask) > 0 if region.mask.width else np.zeros(rgb.shape[:2], bool)
    names = (f'{number:02d}_overlay.png', f'{number:02d}_mask.png')
    write_image(out / names[0], draw_overlay(rgb, [_layer(region)]))
    write_image(out / names[1], mask.astype(np.uint8) * 255)
    points, clouds = 0, []
    if xyz is not None and colors is not None and mask.any():
        picked = mask & np.isfinite(xyz).all(-1)
        points = int(picked.sum())
        if points:
            clouds = [f'{number:02d}_cloud.ply']
            write_ply(out / clouds[0], xyz[picked], colors[picked])
    return Answer(
        text=region.instruction.resolved_text or region.instruction.text,
        role=Role(region.instruction.role).name.lower(),
        family=region.instruction.family,
        status=Status(region.status).name,
        reason=region.status_reason,
        program_text=region.program_text,
        geometry=GeometryStatus(region.geometry).name,
        area=int(region.area),
        points=points,
        latency_ms=float(sum(region.stage_ms)),
        overlay=names[0],
        mask=names[1],
        clouds=clouds,
    )


def _layer(region: Region, *, caption: bool = True) -> Layer:
    text = region.instruction.resolved_text or region.instruction.text
    mask = conversion.from_image(region.mask) > 0
    return Layer(mask, text if caption else '', Role(region.instruction.role), Status(region.status))


def _split(cloud: PointCloud2) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return (H, W, 3) coordinates and (H, W, 3) colours of a cloud."""
    points = conversion.from_cloud(cloud)
    return np.stack([points['x'], points['y'], points['z']], -1), unpack_rgb(points['rgb'])


def _scene(recorder: Recorder, stamp: int) -> tuple[NDArray[np.float32] | None, NDArray[np.uint8] | None]:
    """Return the organized points and colours of the scene of one frame, or None without depth."""
    cloud = recorder.clouds['points'].get(stamp)
    return _split(cloud) if cloud is not None else (None, None)


def _role_clouds(out: Path, recorder: Recorder, stamp: int) -> list[str]:
    """Write the clouds of the node for one frame: the scene, affordance regions, keep-out space."""
    written = []
    for topic, clouds in recorder.clouds.items():
        if not clouds:
            continue
        nearest = min(clouds, key=lambda s: abs(s - stamp))  # the safety gate publishes at its own rate
        xyz, colors = _split(clouds[nearest])
        if np.isfinite(xyz).any():
            name = {'points': 'scene.ply'}.get(topic, topic.split('/')[0] + '.ply')
            write_ply(out / name, xyz, colors)
            written.append(name)
    return written


def _spread(values: Sequence[int], count: int) -> list[int]:
    """Return at most `count` of the values, evenly distributed."""
    if len(values) <= count:
        return list(values)
    return [values[round(i * (len(values) - 1) / (count - 1))] for i in range(count)]


def _print_table(answers: Sequence[Answer]) -> None:
    head = ('instruction', 'status', 'geometry', 'area px', 'points', 'latency ms')
    rows = [
        (a.text[:48], a.status, a.geometry, f'{a.area}', f'{a.points}', f'{a.latency_ms:.0f}')
        for a in answers
    ]  # fmt: skip
    widths = [max(len(r[c]) for r in [head, *rows]) for c in range(len(head))]
    for row in [head, tuple('-' * w for w in widths), *rows]:
        print('  '.join(v.ljust(w) if c < 3 else v.rjust(w) for c, (v, w) in enumerate(zip(row, widths))).rstrip())
