"""The server of the console: one page, one websocket for output and texts, one for the microphone."""

import asyncio
from collections.abc import Callable
import contextlib
import json
import threading
import time
from typing import Any

from fastapi import FastAPI, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from converseg_ros.console.frames import cloud_message, frame_message
from converseg_ros.console.state import ConsoleState
from converseg_ros.core import ConversegError
from converseg_ros.core.instruction import clean_text, said_by
from converseg_ros.core.texts import catalogue, say
from converseg_ros.speech.listener import Event, EventKind, Live
from converseg_ros.speech.sound import Resampler, from_int16
from converseg_ros.web.broadcast import Broadcaster
from converseg_ros.web.guard import Bucket
from converseg_ros.web.server import STATIC, add_page, make_app

CLOUDS_EVERY = 0.5  # seconds
STATE_EVERY = 1.0  # maximum seconds between states, so that the page detects that a node has died
WORDS = {
    'undo': 'undo',
    'forget': 'forget it',
    'reset': 'start over',
    'stop': 'stop',
    'yes': 'yes',
    'no': 'no',
    'again': 'again',
}


class Console:
    """Serves a ConsoleState. publish: sends a text to the node.

    ears: creates a running recogniser that calls a function with its events; may raise ConversegError (no model).
    operator: the name of the conversation.
    """

    def __init__(
        self,
        state: ConsoleState,
        publish: Callable[[str], None],
        *,
        ears: Callable[[Callable[[Event], None]], Live] | None = None,
        max_fps: float = 20.0,
        host: str = '127.0.0.1',
        token: str = '',
        operator: str = '',
    ) -> None:
        self.state, self.publish, self.ears = state, publish, ears
        self.operator = operator
        self.period = 1.0 / max_fps
        self.app = make_app('converseg console', host=host, token=token)
        self.pages = Broadcaster(self.app.state.limits.clients)
        self.clouds_wanted = 0.0  # monotonic time until which a page shows the 3D view
        self.talking = threading.Lock()  # one microphone at a time
        self.new_image = threading.Event()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=loop, name=f'console-{loop.__name__}', daemon=True)
            for loop in (self._frames, self._news)
        ]
        self._routes(self.app)

    def start(self) -> 'Console':
        """Start the threads that draw and send."""
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Stop the threads."""
        self._stop.set()
        self.new_image.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(5)

    def image_arrived(self) -> None:
        """Report that the state has a new image; returns immediately."""
        self.new_image.set()

    def _frames(self) -> None:
        """Draw and send the newest image, at most `max_fps` times a second, only while a page is open."""
        due = 0.0
        while not self._stop.is_set():
            if not self.new_image.wait(0.2):
                continue
            time.sleep(max(0.0, due - time.monotonic()))
            self.new_image.clear()
            if self._stop.is_set() or not self.pages.count:
                continue
            due = time.monotonic() + self.period
            overlay = self.state.overlay()
            if overlay is not None:
                self.pages.publish('frame', frame_message(overlay, self.state.image_ns, self.state.age_s()), keep=True)

    def _news(self) -> None:
        """Send the state when it changed, and the clouds while a page shows them."""
        version, told, clouded = -1, 0.0, 0.0
        while not self._stop.wait(0.05):
            now = time.monotonic()
            if self.state.version != version or now - told > STATE_EVERY:
                version, told = self.state.version, now
                self.pages.publish('state', json.dumps(self.state.to_json()), keep=True)
            if now < self.clouds_wanted and now - clouded > CLOUDS_EVERY:
                clouded = now
                with self.state.lock:
                    clouds = dict(self.state.clouds)
                for name, cloud in clouds.items():
                    self.pages.publish(f'cloud {name}', cloud_message(name, cloud.points, cloud.colors))

    def say(self, text: str) -> str:
        """Send a text to the node, prefixed with the selected region; return what is wrong with it, or ''."""
        try:
            text = clean_text(text)
        except ConversegError as error:
            return str(error)
        selected = self.state.selected
        if selected and not any(text.casefold() == word for word in WORDS.values()):
            text = f'#{selected} {text}'
        text = said_by(self.operator, text)
        self.state.say(text)
        self.publish(text)
        return ''

    def _take(self, message: dict[str, Any]) -> str:
        """Execute a request of a page; return what is wrong with it, or ''."""
        kind, value = message.get('type'), message.get('value', '')
        if kind == 'say' and isinstance(value, str):
            return self.say(value)
        if kind == 'command' and value in WORDS:
            return self.say(WORDS[value])
        if kind == 'select' and isinstance(value, str):
            self.state.select(value)
        elif kind == 'click':
            x, y = message.get('x'), message.get('y')
            if not isinstance(x, int | float) or not isinstance(y, int | float):
                return 'click without a point'
            self.state.pick(float(x), float(y))
        elif kind == 'clouds':
            self.clouds_wanted = time.monotonic() + 5.0
        else:
            return 'unknown message'
        return ''

    def _routes(self, app: FastAPI) -> None:
        add_page(app, '/', STATIC / 'console.html')

        @app.get('/api/texts')
        def texts() -> dict[str, Any]:
            return dict(catalogue()['page'])

        @app.get('/api/snapshot')
        def snapshot() -> Response:
            png = self.state.snapshot()
            if png is None:
                return Response(say('no_image'), 404, media_type='text/plain')
            return _download(png, 'image/png', 'png')

        @app.get('/api/export')
        def export() -> Response:
            return _download(self.state.export(), 'application/zip', 'zip')

        @app.websocket('/ws')
        async def page(socket: WebSocket) -> None:
            bucket = Bucket(app.state.limits.messages_per_s)
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                async with self.pages.joined(socket) as client:
                    while True:
                        text = await socket.receive_text()
                        if not bucket.take():
                            await socket.close(1008, 'too many messages')
                            return
                        try:
                            message = json.loads(text)
                            wrong = self._take(message) if isinstance(message, dict) else 'not an object'
                        except (ValueError, RecursionError):
                            wrong = 'not JSON'
                        if wrong:
                            client.offer('error', json.dumps({'type': 'error', 'text': wrong}))

        @app.websocket('/ws/audio')
        async def microphone(socket: WebSocket) -> None:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await self._listen(socket)

    async def _listen(self, socket: WebSocket) -> None:
        """Feed the microphone of one page (16-bit PCM; the first message is the sample rate) to the recogniser."""
        await socket.accept()
        rate = (await socket.receive_text())[:8]
        if self.ears is None or not self.talking.acquire(blocking=False):
            why = 'it is switched off' if self.ears is None else 'another page is talking'
            await socket.send_text(json.dumps({'type': 'error', 'text': say('no_recogniser', why=why)}))
            await socket.close(1013)
            return
        live: Live | None = None
        try:
            resample = Resampler(int(rate))
            live = await asyncio.to_thread(self.ears, self._told)
            await socket.send_text(json.dumps({'type': 'ready'}))
            bucket = Bucket(200)
            while True:
                message = await socket.receive()
                if message['type'] != 'websocket.receive' or not bucket.take():
                    break
                if message.get('bytes'):
                    live.feed(resample(from_int16(message['bytes'][: len(message['bytes']) // 2 * 2])))
                elif message.get('text') in ('press', 'release'):
                    live.press() if message['text'] == 'press' else live.release()
        except (ConversegError, ValueError) as error:
            await socket.send_text(json.dumps({'type': 'error', 'text': say('no_recogniser', why=error)}))
            await socket.close(1011)
        finally:
            if live is not None:
                await asyncio.to_thread(live.close)
            self.state.set_speech()
            self.talking.release()

    def _told(self, event: Event) -> None:
        """Handle an event of the recogniser."""
        if event.kind == EventKind.PARTIAL:
            self.state.set_speech(self.state.speech['state'], event.text)
        elif event.kind == EventKind.FINAL:
            self.say(event.text)
        else:
            self.state.set_speech(event.text, '')


def _download(data: bytes, kind: str, suffix: str) -> Response:
    name = f'converseg_{time.strftime("%Y%m%d_%H%M%S")}.{suffix}'
    return Response(data, media_type=kind, headers={'content-disposition': f'attachment; filename="{name}"'})
