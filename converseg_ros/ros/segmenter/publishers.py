"""The publishers of the segmenter node; messages have the stamp and frame of the source and are sent on demand."""

from collections.abc import Sequence
from dataclasses import replace
import time
from typing import Any

from geometry_msgs.msg import PoseArray
import numpy as np
from numpy.typing import NDArray
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSPolicyKind
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Bool
from vision_msgs.msg import LabelInfo, VisionClass
from visualization_msgs.msg import MarkerArray

from converseg_ros.core import Frame, Role
from converseg_ros.core.overlay import Layer, draw_overlay
from converseg_ros.core.region import Region
from converseg_ros.lifting.clouds import MAX_LABELS, POINT, label_image, organized, segmented
from converseg_ros.lifting.options import LiftOptions
from converseg_ros.lifting.tf import TransformError
from converseg_ros.lifting.transform import transform_geometry, transform_points, without_transform
from converseg_ros.msg import InstructionAck, RegionArray
from converseg_ros.perception.safety import SafetyReport
from converseg_ros.ros.camera.qos import LATCHED, reliable
from converseg_ros.ros.camera.transforms import TransformListener
from converseg_ros.ros.messages import conversion, serialize
from converseg_ros.ros.messages.markers import region_markers

COUNT_EVERY = 0.1  # seconds
STREAMS: dict[str, type] = {
    'regions': RegionArray,
    'mask': Image,
    'confidence': Image,
    'points': PointCloud2,
    'affordance/points': PointCloud2,
    'safety/points': PointCloud2,
    'safety/voxels': PointCloud2,
    'placements': PoseArray,
    'markers': MarkerArray,
    'overlay': Image,
}


class Outputs:
    """The publishers; their QoS can be overridden by `qos_overrides./topic.publisher.*` parameters."""

    def __init__(self, node: Node, transforms: TransformListener | None = None) -> None:
        """Create all publishers."""
        self._transforms = transforms
        policies = (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY, QoSPolicyKind.DURABILITY)
        options = QoSOverridingOptions(policies)

        def make(kind: type, name: str, qos: Any) -> Publisher:
            # Without event handlers, two per publisher, which cost more in each cycle of the executor than the rest of
            # the node; a subscriber with an incompatible QoS is warned in its own process.
            silent = PublisherEventCallbacks(use_default_callbacks=False)
            return node.create_publisher(kind, f'~/{name}', qos, qos_overriding_options=options, event_callbacks=silent)

        self._streams = {name: make(kind, name, reliable(2)) for name, kind in STREAMS.items()}
        self._label_info = make(LabelInfo, 'label_info', LATCHED)
        self._safety_ok = make(Bool, 'safety_ok', LATCHED)
        self._ack = make(InstructionAck, 'instruction_ack', reliable(10))
        self._node = node
        self._classes: list[tuple[int, str]] | None = None
        self._heard: frozenset[str] = frozenset()
        self._count_at = 0.0
        self.tf_failures = 0

    def listened(self, *names: str) -> bool:
        """Return whether one of these streams, or any stream without names, has a subscriber.

        Subscribers are counted ten times a second, because this is called a dozen times per frame.
        """
        now = time.monotonic()
        if now >= self._count_at:
            self._heard = frozenset(n for n, p in self._streams.items() if p.get_subscription_count() > 0)
            self._count_at = now + COUNT_EVERY
        return not self._heard.isdisjoint(names) if names else bool(self._heard)

    def acknowledge(self, ack: InstructionAck) -> None:
        """Publish the acknowledgement of a text."""
        self._ack.publish(ack)

    def safety(self, report: SafetyReport, voxel: float) -> None:
        """Publish the verdict of the gate and its cloud, also as the centres of its voxels with edge `voxel`."""
        self._safety_ok.publish(Bool(data=report.ok))
        for name in ('safety/points', 'safety/voxels'):
            if report.stamp_ns and self.listened(name):
                points = report.points if name == 'safety/points' else report.voxels(voxel)
                cloud = conversion.keep_out_cloud(points)
                self._streams[name].publish(serialize.cloud(cloud, report.stamp_ns, report.frame_id, dense=True))

    def unsafe(self) -> None:
        """Publish that safety is not known."""
        self._safety_ok.publish(Bool(data=False))

    def in_target(self, regions: Sequence[Region], target: str, timeout: float) -> list[Region]:
        """Return the regions with their geometry in the target frame, or with the reason why not."""
        if not target or self._transforms is None:
            return list(regions)
        out = []
        for region in regions:
            geometry = region.geometry
            if geometry.frame_id and geometry.frame_id != target:
                try:
                    matrix = self._transforms.lookup(target, geometry.frame_id, region.stamp_ns, timeout)
                    geometry = transform_geometry(geometry, matrix, target)
                except TransformError as error:
                    self.tf_failures += 1
                    timeout = 0.0
                    geometry = without_transform(geometry, str(error))
            out.append(replace(region, geometry=geometry))
        return out

    def labels(self, regions: Sequence[Region]) -> None:
        """Publish the latched map of labels if it changed: names of standing instructions or roles, never free text."""
        classes = [(0, 'background')]
        for n, region in enumerate(regions[:MAX_LABELS]):
            i = region.instruction
            classes.append((n + 1, i.name if i.standing and i.name else i.role.name.lower()))
        if classes != self._classes:
            self._classes = classes
            class_map = [VisionClass(class_id=n, class_name=name) for n, name in classes]
            self._label_info.publish(LabelInfo(class_map=class_map, threshold=0.0))

    def publish(self, frame: Frame, regions: Sequence[Region], options: LiftOptions, target: str, wait: float) -> None:
        """Publish the regions of a frame, in the order of the instructions, on streams with subscribers."""
        self.labels(regions)
        source = frame.stamp_ns, frame.frame_id
        send, streams = self.listened, self._streams
        labels = None
        if send('mask', 'confidence', 'points'):
            labels = label_image(regions, frame.height, frame.width)
        if labels is not None and send('mask'):
            streams['mask'].publish(serialize.image(labels, *source))
        if labels is not None and send('confidence'):
            streams['confidence'].publish(serialize.image(confidence_image(labels, regions), *source))
        if send('points') and frame.depth is not None and frame.intrinsics is not None:
            points = organized(frame, regions, options, labels)
            streams['points'].publish(serialize.cloud(points, *source, dense=False))
        if send('overlay'):
            layers = [Layer(r.prediction.mask, r.instruction.text, r.instruction.role, r.status) for r in regions]
            image = conversion.to_image(draw_overlay(frame.rgb, layers), 'rgb8', conversion.header(*source))
            streams['overlay'].publish(image)
        if send('affordance/points'):
            streams['affordance/points'].publish(self._segments(frame, regions, target, wait))
        if not send('regions', 'placements', 'markers'):
            return
        placed = self.in_target(regions, target, wait)
        if send('regions'):
            streams['regions'].publish(serialize.region_array(placed, *source))
        if send('placements'):
            frames = {r.geometry.frame_id for r in placed if r.geometry.placements}
            poses = [conversion.to_pose(p.position, p.rotation) for r in placed for p in r.geometry.placements]
            frame_id = frames.pop() if len(frames) == 1 else frame.frame_id
            array = PoseArray(header=conversion.header(frame.stamp_ns, frame_id), poses=poses)
            streams['placements'].publish(array)
        if send('markers'):
            streams['markers'].publish(region_markers(placed))

    def _segments(self, frame: Frame, regions: Sequence[Region], target: str, wait: float) -> bytes:
        """Return the cloud of the affordance regions; their labels are those of the label image."""
        chosen = [(n, r) for n, r in enumerate(regions) if r.instruction.role == Role.AFFORDANCE]
        points: NDArray[np.void] = segmented(frame, [r for _, r in chosen])
        numbers = np.array([0, *(n + 1 for n, _ in chosen)], np.uint32)
        points['label'] = numbers[points['label']]
        frame_id = frame.frame_id
        if target and self._transforms is not None and target != frame_id:
            try:
                matrix = self._transforms.lookup(target, frame_id, frame.stamp_ns, wait)
                xyz = np.stack([points['x'], points['y'], points['z']], 1)
                for axis, values in zip('xyz', transform_points(xyz, matrix).T):
                    points[axis] = values
                frame_id = target
            except TransformError:
                self.tf_failures += 1
        return serialize.cloud(points.astype(POINT), frame.stamp_ns, frame_id, dense=True)

    def clear(self) -> None:
        """Publish an empty latched map of labels."""
        self.labels(())

    def destroy(self) -> None:
        """Destroy all publishers."""
        for publisher in (*self._streams.values(), self._label_info, self._safety_ok, self._ack):
            self._node.destroy_publisher(publisher)


def confidence_image(labels: NDArray[np.uint8], regions: Sequence[Region]) -> NDArray[np.uint8]:
    """Return (H, W) uint8: 255 times the confidence of the region of each pixel, 0 outside of regions."""
    table = np.zeros(MAX_LABELS + 1, np.uint8)
    for n, region in enumerate(regions):
        table[n + 1] = round(255 * region.confidence)
    return table[labels]
