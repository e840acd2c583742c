"""The parameters of the speech, console and learning nodes: description, range, and when they may change."""

from dataclasses import replace

from converseg_ros.core.instruction import said_by
from converseg_ros.ros.parameters import Parameter, group
from converseg_ros.speech.listener import ListenOptions

OPERATOR = Parameter(
    'operator',
    '',
    'Name of the operator, who has a separate conversation; empty: the unnamed operator.',
    valid=lambda name: said_by(str(name), ''),  # names are prefixes of texts
)
SEGMENTER = Parameter('segmenter', 'segmenter', 'Name of the segmenter node.', live=False)


def _listening() -> list[Parameter]:
    """Return the listener's options as parameters."""
    return [replace(p, live=p.name != 'before') for p in group('', ListenOptions)]


SPEECH: tuple[Parameter, ...] = (
    Parameter(
        'audio_source', 'microphone', 'Source of the sound.', choices=('microphone', 'topic', 'files'), live=False
    ),
    Parameter('device', '', 'Name or number of the input device; empty: the default device.', live=False),
    Parameter('files', [''], '16-bit WAV files that are played in real time.', live=False),
    Parameter(
        'model',
        '',
        'Folder of a faster-whisper model; empty: the small English model of the extra `speech`.',
        live=False,
    ),
    Parameter('fetch_model', False, '`model` is a hub name and may be downloaded.', live=False),
    Parameter('compute', 'auto', 'Device of the model.', choices=('auto', 'cpu', 'cuda'), live=False),
    Parameter('threads', 0, 'CPU threads of the recogniser; 0: the number of cores, at most 4.', 0, 64, live=False),
    Parameter('hotwords', [''], 'Hot-words in addition to those of the scene.'),
    Parameter('min_confidence', 0.45, 'Minimum mean word probability of a published sentence.', 0.0, 1.0),
    *_listening(),
    OPERATOR,
    SEGMENTER,
)
CONSOLE: tuple[Parameter, ...] = (
    Parameter('host', '127.0.0.1', 'Address to listen on; pages on other machines need the token.', live=False),
    Parameter('port', 8723, 'Port; 0: a free one.', 0, 65535, live=False),
    Parameter('token', '', 'Token of the pages; empty: generated if one is needed.', live=False),
    Parameter('image_transport', 'raw', 'Type of the image topic.', choices=('raw', 'compressed'), live=False),
    Parameter('max_fps', 20.0, 'Maximum frames per second for a page.', 1.0, 60.0),
    Parameter('speech', True, "Recognise speech from the browser's microphone.", live=False),
    Parameter('speech_model', '', 'Folder of the speech model; empty: the small English model.'),
    Parameter('speech_device', 'auto', 'Device of the speech model.', choices=('auto', 'cpu', 'cuda')),
    OPERATOR,
    SEGMENTER,
)


LEARNING: tuple[Parameter, ...] = (
    Parameter('sample_period', 1.0, 'Seconds between sampled frames.', 0.02, 3600.0, live=False),
    Parameter(
        'sample_change',
        4.0,
        'Minimum mean difference in grey levels between a sampled frame and the previous one.',
        0.0,
        255.0,
        live=False,
    ),
    Parameter(
        'sample_frames', 100, 'Number of sampled frames if `max_frames` of the goal is 0.', 1, 100_000, live=False
    ),
    Parameter('image_transport', 'raw', 'Type of the image topic.', choices=('raw', 'compressed'), live=False),
)
