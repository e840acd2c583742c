"""Send the newest message of each channel to every page; slow pages skip messages and do not delay the others."""

import asyncio
from collections.abc import AsyncIterator
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect

STALLED_S = 20.0  # seconds without progress after which a page is disconnected


class Client:
    """One page: the newest unsent message of each channel, and the number of skipped messages."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.pending: dict[str, bytes | str] = {}
        self.ready = asyncio.Event()
        self.sent = self.dropped = 0

    def offer(self, channel: str, data: bytes | str) -> None:
        """Put `data` in the slot of the channel and drop an unsent older message."""
        self.dropped += channel in self.pending
        self.pending[channel] = data
        self.ready.set()

    async def pump(self) -> None:
        """Send pending messages until the page disconnects; raise TimeoutError if it stalls."""
        while True:
            await self.ready.wait()
            self.ready.clear()
            while self.pending:
                data = self.pending.pop(next(iter(self.pending)))
                send = self.socket.send_text(data) if isinstance(data, str) else self.socket.send_bytes(data)
                await asyncio.wait_for(send, STALLED_S)
                self.sent += 1


class Broadcaster:
    """Channels to all pages. `publish` may be called from any thread and never blocks."""

    def __init__(self, max_clients: int = 16) -> None:
        self.max_clients = max_clients
        self.clients: set[Client] = set()
        self.latest: dict[str, bytes | str] = {}
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def count(self) -> int:
        """Return the number of connected pages."""
        return len(self.clients)

    def publish(self, channel: str, data: bytes | str, *, keep: bool = False) -> None:
        """Send `data` to every page; with `keep`, pages that connect later receive it first."""
        if keep:
            self.latest[channel] = data
        if self.loop is not None and self.clients and not self.loop.is_closed():
            with contextlib.suppress(RuntimeError):  # the loop may be closed in between
                self.loop.call_soon_threadsafe(self._offer, channel, data)

    def _offer(self, channel: str, data: bytes | str) -> None:
        for client in self.clients:
            client.offer(channel, data)

    @contextlib.asynccontextmanager
    async def joined(self, socket: WebSocket) -> AsyncIterator[Client]:
        """Accept a websocket and send to it while the body runs; close it if there are too many."""
        self.loop = asyncio.get_running_loop()
        if len(self.clients) >= self.max_clients:
            await socket.close(1013, 'too many pages are open')
            raise WebSocketDisconnect(1013)
        await socket.accept()
        client = Client(socket)
        for channel, data in list(self.latest.items()):
            client.offer(channel, data)
        self.clients.add(client)
        pump = asyncio.create_task(self._pump(client))
        try:
            yield client
        finally:
            self.clients.discard(client)
            pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pump

    async def _pump(self, client: Client) -> None:
        try:
            await client.pump()
        except (WebSocketDisconnect, RuntimeError, OSError):
            pass
        except TimeoutError:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(client.socket.close(1008, 'too slow'), 1)
        finally:
            self.clients.discard(client)
