"""The web server of the console, the labelling page and the gallery.

`make_app` returns a guarded FastAPI application (on loopback by default) that serves /static/base.css and
/static/palette.css. Add routes as in any FastAPI application, pages with `add_page`, and files with `serve_by_id`,
which accepts keys and never a path from the page. `run(app)` serves until Ctrl-C; `with Running(app) as server` serves
from a thread at `server.url`.
"""

from collections.abc import Callable
import contextlib
from pathlib import Path
import secrets
import socket
import threading
import time
from typing import Any

from fastapi import FastAPI, Response
from fastapi.staticfiles import StaticFiles
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse
import uvicorn

from converseg_ros.core import palette
from converseg_ros.core.errors import ConversegError
from converseg_ros.web.guard import Guard, Limits, is_loopback

STATIC = Path(__file__).parent / 'static'


def palette_css() -> str:
    """Return the colours of core.palette as CSS variables: --safety, --region-0 ... --region-5."""
    colors = {'safety': palette.SAFETY} | {f'region-{i}': c for i, c in enumerate(palette.REGIONS)}
    return ':root {\n' + ''.join(f'  --{name}: rgb{c};\n' for name, c in colors.items()) + '}\n'


def make_app(title: str, *, host: str = '127.0.0.1', token: str = '', limits: Limits | None = None) -> FastAPI:
    """Return a guarded application to be served on `host`; without a token, one is generated unless on loopback."""
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    loopback = is_loopback(host)
    app.state.host = host
    app.state.limits = limits or Limits()
    app.state.token = token or ('' if loopback else secrets.token_urlsafe(24))
    app.add_middleware(Guard, loopback=loopback, token=app.state.token, limits=app.state.limits)

    @app.get('/static/palette.css')
    def colors() -> Response:
        return Response(palette_css(), media_type='text/css')

    @app.exception_handler(ConversegError)
    async def explain(_: Request, error: ConversegError) -> JSONResponse:
        return JSONResponse({'error': str(error)}, 400)

    app.mount('/static', StaticFiles(directory=STATIC), name='static')
    return app


def add_static(app: FastAPI, at: str, folder: Path) -> None:
    """Serve the files of one folder of this package under `at`."""
    app.mount(at, StaticFiles(directory=folder), name=at.strip('/'))


def add_page(app: FastAPI, at: str, file: Path) -> None:
    """Serve one HTML file of this package at `at`."""
    body = file.read_text()

    @app.get(at)
    def page() -> Response:
        return Response(body, media_type='text/html')


def serve_by_id(app: FastAPI, at: str, find: Callable[[str], Path | None]) -> None:
    """Serve files at `at` (which ends in '{key}') that `find` looks up; unknown keys are 404, paths are rejected."""

    @app.get(at)
    def file(key: str) -> Response:
        path = find(key)
        if path is None or not path.is_file():
            return PlainTextResponse('no file has this key', 404)
        return FileResponse(path)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket (port 0: any free one); raise ConversegError if the address is not available."""
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # A small send buffer, so that a slow page skips frames instead of receiving old ones.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
    try:
        sock.bind((host.strip('[]'), port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise ConversegError(
            f'cannot listen on port {port} ({error.strerror})', where=host, do='choose another one with --port'
        ) from error
    return sock


class Running:
    """A server in a separate thread, for nodes and tests; a context manager."""

    def __init__(self, app: FastAPI, *, port: int = 0) -> None:
        host: str = app.state.host
        self.socket = listen(host, port)
        self.port: int = self.socket.getsockname()[1]
        shown = f'[{host}]' if ':' in host else host
        self.address = f'{shown}:{self.port}'
        token: str = app.state.token
        self.url = f'http://{self.address}/' + (f'?token={token}' if token else '')
        config = uvicorn.Config(
            app,
            log_level='warning',
            lifespan='auto',
            ws_max_size=app.state.limits.message,
            ws_per_message_deflate=False,  # images do not compress
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=1 << 16,
            server_header=False,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],), name='web', daemon=True)

    def start(self) -> 'Running':
        """Start serving and return when requests are accepted."""
        self.thread.start()
        while not self.server.started and self.thread.is_alive():
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        """Finish open requests (two seconds at most) and free the port."""
        self.server.should_exit = True
        if self.thread.is_alive():
            self.thread.join(5)
        self.socket.close()

    def __enter__(self) -> 'Running':
        """Start serving."""
        return self.start()

    def __exit__(self, *_: Any) -> None:
        """Stop serving."""
        self.stop()


def run(app: FastAPI, *, port: int = 0, say: Callable[[str], None] = print) -> None:
    """Serve until Ctrl-C; print the address first."""
    with Running(app, port=port) as server:
        say(f'{app.title}: {server.url}')
        with contextlib.suppress(KeyboardInterrupt):
            while server.thread.is_alive():
                server.thread.join(0.5)
