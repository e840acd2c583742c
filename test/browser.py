"""A headless Chromium driven by its own protocol, for the pages' tests; they skip where it is not installed."""

import base64
from collections.abc import Callable, Iterator
from itertools import count
import json
from pathlib import Path
import shutil
import subprocess
import time
from typing import Any
import urllib.request

import pytest

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')


class Browser:
    """One page of a headless Chromium."""

    def __init__(self, folder: Path, *flags: str) -> None:
        from websockets.sync.client import connect

        assert CHROMIUM is not None
        self.process = subprocess.Popen(
            [
                *(CHROMIUM, '--headless=new', '--no-sandbox', '--disable-dev-shm-usage', '--remote-debugging-port=0'),
                *('--no-first-run', '--hide-scrollbars', '--window-size=1280,800', '--enable-unsafe-swiftshader'),
                *(f'--user-data-dir={folder}', *flags, 'about:blank'),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port_file = folder / 'DevToolsActivePort'
        wait_for(lambda: port_file.exists() and len(port_file.read_text().splitlines()) > 1, 60)
        port = port_file.read_text().splitlines()[0]
        with urllib.request.urlopen(f'http://127.0.0.1:{port}/json') as reply:
            target = next(t for t in json.load(reply) if t['type'] == 'page')
        self.socket = connect(target['webSocketDebuggerUrl'], max_size=None)
        self.ids = count(1)
        self.problems: list[str] = []
        for domain in ('Page', 'Runtime', 'Log'):
            self.send(f'{domain}.enable')

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result; what the page complains of is kept in `problems`."""
        number = next(self.ids)
        self.socket.send(json.dumps({'id': number, 'method': method, 'params': parameters}))
        while True:
            message = json.loads(self.socket.recv(60))
            if message.get('method') == 'Runtime.exceptionThrown':
                self.problems.append(json.dumps(message['params']['exceptionDetails'])[:500])
            if message.get('method') == 'Log.entryAdded' and message['params']['entry']['level'] == 'error':
                self.problems.append(message['params']['entry']['text'])
            if message.get('id') == number:
                if 'error' in message:
                    raise RuntimeError(message['error'])
                return message['result']

    def open(self, url: str) -> None:
        """Go to an address."""
        self.send('Page.navigate', url=url)

    def js(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        result = self.send('Runtime.evaluate', expression=expression, awaitPromise=True, returnByValue=True)
        return result['result'].get('value')

    def until(self, expression: str, seconds: float = 30) -> None:
        """Wait until an expression in the page is true."""
        wait_for(lambda: self.js(expression), seconds, expression)

    def key(self, key: str, code: str = '', *, alt: bool = False, text: str = '') -> None:
        """Press and release a key."""
        codes = {'Enter': 13, 'Tab': 9, 'Escape': 27, 'ArrowUp': 38, 'ArrowLeft': 37}
        named = {'key': key, 'code': code or key, 'modifiers': int(alt), 'windowsVirtualKeyCode': codes.get(key, 0)}
        self.send('Input.dispatchKeyEvent', type='keyDown', text='\r' if key == 'Enter' else text, **named)
        self.send('Input.dispatchKeyEvent', type='keyUp', **named)

    def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        self.send('Input.insertText', text=text)

    def click(self, x: float, y: float) -> None:
        """Click at a point of the window."""
        for kind in ('mousePressed', 'mouseReleased'):
            self.send('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', clickCount=1)

    def screenshot(self, path: Path) -> None:
        """Write the window as PNG."""
        path.write_bytes(base64.b64decode(self.send('Page.captureScreenshot', format='png')['data']))

    def close(self) -> None:
        """End it."""
        self.socket.close()
        self.process.terminate()
        self.process.wait(10)


def wait_for(condition: Callable[[], Any], seconds: float, what: str = '') -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f'never came: {what}'
        time.sleep(0.05)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """Return a headless Chromium, or skip."""
    if CHROMIUM is None:
        pytest.skip('Chromium is not installed (apt install chromium)')
    page = Browser(tmp_path / 'chromium')
    yield page
    page.close()


@pytest.fixture
def speaking(tmp_path: Path) -> Iterator[Callable[[Path], Browser]]:
    """Return what starts a headless Chromium whose microphone hears a WAV file again and again, or skip."""
    if CHROMIUM is None:
        pytest.skip('Chromium is not installed (apt install chromium)')
    pages: list[Browser] = []

    def start(wav: Path) -> Browser:
        flags = ('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream')
        pages.append(Browser(tmp_path / 'speaking', *flags, f'--use-file-for-fake-audio-capture={wav}'))
        return pages[-1]

    yield start
    for page in pages:
        page.close()
