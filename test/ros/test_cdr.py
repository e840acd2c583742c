"""Camera messages are read out of their bytes as rclpy reads them, without a copy of the pixels."""

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')
pytest.importorskip('converseg_ros.msg', reason='the interfaces are not built')

from builtin_interfaces.msg import Time
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from converseg_ros.ros.messages import cdr, conversion

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize('frame_id', ['', 'c', 'camera', 'camera_color_optical_frame', 'küche'])
@pytest.mark.parametrize(
    ('encoding', 'dtype', 'shape'),
    [('rgb8', 'u1', (7, 5, 3)), ('mono8', 'u1', (1, 1)), ('16UC1', 'u2', (6, 4)), ('32FC1', 'f4', (3, 9))],
)
def test_an_image_is_read_field_by_field(frame_id: str, encoding: str, dtype: str, shape: tuple[int, ...]) -> None:
    pixels = (RANDOM.random(shape) * 200).astype(dtype)
    head = Header(stamp=Time(sec=-3, nanosec=999_999_999), frame_id=frame_id)
    message = conversion.to_image(pixels, encoding, head)
    message.is_bigendian = 1
    raw = serialize_message(message)
    view = cdr.read_image(raw)
    assert isinstance(view, cdr.ImageView)
    for name in ('height', 'width', 'encoding', 'is_bigendian', 'step'):
        assert getattr(view, name) == getattr(message, name), name
    assert view.header == ((-3, 999_999_999), frame_id)
    assert view.data.tobytes() == bytes(message.data)
    message.is_bigendian = 0
    assert np.array_equal(conversion.from_image(cdr.read_image(serialize_message(message))), pixels)


def test_pixels_are_not_copied() -> None:
    raw = serialize_message(conversion.to_image(np.full((40, 50), 7, np.uint8), 'mono8', Header()))
    view = cdr.read_image(raw)
    assert np.shares_memory(view.data, np.frombuffer(raw, np.uint8)) and not view.data.flags.writeable


@pytest.mark.parametrize('fmt', ['jpeg', 'rgb8; jpeg compressed bgr8', '16UC1; compressedDepth png', ''])
def test_a_compressed_image_is_read(fmt: str) -> None:
    data = RANDOM.integers(0, 256, 33).astype(np.uint8)
    message = CompressedImage(header=conversion.header(5, 'x'), format=fmt, data=conversion.to_bytes(data))
    view = cdr.read_compressed(serialize_message(message))
    assert isinstance(view, cdr.CompressedView)
    assert (view.header, view.format) == (((0, 5), 'x'), fmt) and np.array_equal(view.data, data)


def test_bytes_that_are_not_what_they_say_go_to_rclpy() -> None:
    message = conversion.to_image(np.arange(12, dtype=np.uint8).reshape(3, 4), 'mono8', conversion.header(9, 'c'))
    raw = serialize_message(message)
    other = raw[:1] + b'\x07' + raw[2:]  # an encapsulation that is not ours
    try:
        read = cdr.read_image(other)
    except Exception as error:  # rclpy's own word on it
        assert type(error).__name__ == 'RMWError' or isinstance(error, RuntimeError)
    else:
        assert isinstance(read, Image)
    with pytest.raises(Exception, match=r'(?i)deserial|failed'):
        cdr.read_image(raw[:-6])  # shorter than its length says


def test_camera_info_is_read_again_only_when_it_says_something_else() -> None:
    read = cdr.InfoReader()
    info = CameraInfo(width=4, height=3, k=np.arange(9.0), d=[0.1, 0.2], distortion_model='plumb_bob')
    stamps, messages = [], []
    for seconds, width in ((1, 4), (2, 4), (3, 5), (4, 4)):
        info.width = width
        info.header = Header(stamp=Time(sec=seconds), frame_id='c')
        stamp, message = read(serialize_message(info))
        stamps.append(stamp)
        messages.append(message)
    assert stamps == [s * 10**9 for s in (1, 2, 3, 4)]
    assert messages[0] is messages[1] and [m.width for m in messages] == [4, 4, 5, 4]
    assert list(messages[2].d) == [0.1, 0.2]
