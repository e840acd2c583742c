"""The contents of /diagnostics: rates, drops by cause, latency by stage, memory, model, remedies."""

from collections import Counter
import os
from pathlib import Path
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from rclpy.qos import QoSProfile

from converseg_ros.ros.camera.inputs import CameraInput
from converseg_ros.ros.segmenter.live import LivePipeline


def resident_mb() -> float:
    """Return the resident memory of the process in MB (Linux)."""
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6


def _rates(now: Counter[str], before: Counter[str], seconds: float) -> dict[str, str]:
    return {f'rate {k} (Hz)': f'{(now[k] - before[k]) / seconds:.1f}' for k in sorted(now)}


class Diagnostics:
    """Publishes two statuses: the camera input, and the network with the safety gate."""

    def __init__(self, node: Node) -> None:
        """Advertise /diagnostics."""
        self._node = node
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', QoSProfile(depth=10))
        self._since = time.monotonic()
        self._received: Counter[str] = Counter()
        self._done: Counter[str] = Counter()

    def publish(self, state: str, trouble: str, camera: CameraInput | None, live: LivePipeline | None) -> None:
        """Publish the status; `trouble` is why the last transition failed."""
        now = time.monotonic()
        seconds, self._since = max(now - self._since, 1e-3), now
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.status = [self._network(state, trouble, live, seconds)]
        if camera is not None:
            message.status.insert(0, self._input(camera, live, seconds))
        self._publisher.publish(message)

    def _status(self, what: str, level: bytes, words: str, values: dict[str, Any]) -> DiagnosticStatus:
        name = self._node.get_fully_qualified_name()
        pairs = [KeyValue(key=k, value=str(v)) for k, v in values.items()]
        return DiagnosticStatus(level=level, name=f'{name}: {what}', message=words, hardware_id=name, values=pairs)

    def _input(self, camera: CameraInput, live: LivePipeline | None, seconds: float) -> DiagnosticStatus:
        level, words = DiagnosticStatus.OK, 'images arrive'
        losing = camera.watch_losses()
        received, before, self._received = camera.received, self._received, camera.received.copy()
        if not received['image'] - before['image']:
            level, words = DiagnosticStatus.WARN, 'no images arrive'
        if losing:
            level, words = DiagnosticStatus.WARN, losing
        if live is not None and live.fault:
            level, words = DiagnosticStatus.ERROR, live.fault
        values: dict[str, Any] = {**camera.describe(), **_rates(received, before, seconds)}
        values.update({f'sync {k}': v for k, v in sorted(camera.sync.counts.items())})
        if live is not None:
            values.update({f'unusable {k}': v for k, v in sorted(live.problems().items())})
            if live.latest is not None:
                age = (self._node.get_clock().now().nanoseconds - live.latest.stamp_ns) * 1e-9
                values['age of the newest image (s)'] = f'{age:.3f}'
                if abs(age) > 3600 and level == DiagnosticStatus.OK:
                    level = DiagnosticStatus.WARN
                    words = 'the stamps are of another clock: play bags with --clock and set use_sim_time'
        return self._status('camera', level, words, values)

    def _network(self, state: str, trouble: str, live: LivePipeline | None, seconds: float) -> DiagnosticStatus:
        level, words = (DiagnosticStatus.ERROR, trouble) if trouble else (DiagnosticStatus.WARN, state)
        values: dict[str, Any] = {'state': state, 'memory (MB)': f'{resident_mb():.0f}'}
        values['cpu of the process (s)'] = f'{time.process_time():.3f}'
        if live is None:
            return self._status('network', level, words, values)
        network = live.segmenter.network
        counts, before, self._done = live.counts, self._done, live.counts.copy()
        if state == 'active' and not trouble:
            level, words = DiagnosticStatus.OK, 'ready'
        if level == DiagnosticStatus.OK and live.safety.guarding and not live.safety.report.ok:
            level, words = DiagnosticStatus.WARN, f'not safe: {live.safety.report.reason}'
        if live.busy_seconds > 10:
            level, words = DiagnosticStatus.WARN, f'the network has been busy for {live.busy_seconds:.0f} s'
        if counts['network_errors'] > before['network_errors'] or counts['exceptions'] > before['exceptions']:
            level, words = DiagnosticStatus.ERROR, live.fault or 'the network failed'
        values |= {
            'cpu of the network (s)': f'{live.segmenter.network_cpu:.3f}',
            'model': network.name,
            'device': network.device,
            'calibrated': network.calibrated,
            'instructions': len(live.book.active()),
            'safety': 'ok' if live.safety.report.ok else f'not ok: {live.safety.report.reason}',
            'tf failures': live.outputs.tf_failures,
        }
        values.update({f'count {k}': v for k, v in sorted(counts.items())})
        values.update({f'rate {k} (Hz)': f'{(counts[k] - before[k]) / seconds:.1f}' for k in ('answered', 'tracked')})
        values.update({f'latency {k} (ms)': f'{v:.1f}' for k, v in live.latency.items()})
        return self._status('network', level, words, values)

    def destroy(self) -> None:
        """Destroy the publisher."""
        self._node.destroy_publisher(self._publisher)
