"""Access control of a page's server: token, Host and Origin checks, size and rate limits, security headers.

A server on the loopback interface can still be reached by every web site that the operator visits (cross-site requests,
DNS rebinding), so Host and Origin are checked there too.
"""

from collections import OrderedDict
from dataclasses import dataclass
import hmac
from http.cookies import CookieError, SimpleCookie
import ipaddress
import time
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for one client; a request above a limit is answered with 413 or 429, or closes its websocket."""

    body: int = 1 << 20  # bytes of a request body
    message: int = 1 << 18  # bytes of a websocket message from the page
    requests_per_s: float = 100.0
    messages_per_s: float = 60.0  # per websocket
    clients: int = 16  # concurrent websockets


def is_loopback(host: str) -> bool:
    """Return whether a listening address can be reached from this machine only."""
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host.strip('[]')).is_loopback
    except ValueError:
        return False


class Bucket:
    """A token bucket: `rate` per second on average, twice that in a burst."""

    def __init__(self, rate: float) -> None:
        self.rate, self.level, self.last = rate, 2 * rate, time.monotonic()

    def take(self) -> bool:
        """Take one token; return False if there is none."""
        now = time.monotonic()
        self.level = min(2 * self.rate, self.level + (now - self.last) * self.rate)
        self.last = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


class Guard:
    """ASGI middleware that passes only requests of the page itself."""

    def __init__(self, app: ASGIApp, *, loopback: bool = True, token: str = '', limits: Limits | None = None) -> None:
        self.app, self.loopback, self.token = app, loopback, token
        self.limits = limits or Limits()
        self.buckets: OrderedDict[str, Bucket] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request or websocket handshake and pass it on."""
        if scope['type'] not in ('http', 'websocket'):
            await self.app(scope, receive, send)
            return
        status, why = self.judge(scope)
        if status:
            await refuse(scope, receive, send, status, why)
            return
        if scope['type'] == 'websocket':
            await self.app(scope, receive, send)
            return
        left = self.limits.body

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get('body', b''))
            if left < 0:
                raise HTTPException(413, 'the request is too large')
            return message

        async def with_headers(message: Message) -> None:
            if message['type'] == 'http.response.start':
                message = {**message, 'headers': [*message.get('headers', []), *self.headers(scope)]}
            await send(message)

        await self.app(scope, counted, with_headers)

    def judge(self, scope: Scope) -> tuple[int, str]:
        """Return (0, '') if a request may pass, else the HTTP status and the reason."""
        headers = Headers(scope=scope)
        client = scope['client'][0] if scope.get('client') else ''
        bucket = self.buckets.setdefault(client, Bucket(self.limits.requests_per_s))
        self.buckets.move_to_end(client)
        while len(self.buckets) > 1024:
            self.buckets.popitem(last=False)
        if not bucket.take():
            return 429, 'too many requests'
        host = headers.get('host', '')
        if self.loopback and not is_loopback(urlsplit(f'//{host}').hostname or ''):
            return 403, 'this page is only served to this machine'
        origin = headers.get('origin')  # browsers send it with every websocket and every request that changes something
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, 'the request comes from another page'
        if headers.get('sec-fetch-site', 'none') not in ('none', 'same-origin') and scope.get('method') != 'GET':
            return 403, 'the request comes from another page'
        if self.token and not self.knows_token(scope, headers):
            return 401, 'open the address with ?token=... that the server printed when it started'
        length = headers.get('content-length', '0')
        if not length.isdigit() or int(length) > self.limits.body:
            return 413, 'the request is too large'
        return 0, ''

    def knows_token(self, scope: Scope, headers: Headers) -> bool:
        """Return whether the request contains the token: in the URL, a cookie or an Authorization header."""
        given = parse_qs(scope.get('query_string', b'').decode('latin-1')).get('token', [''])
        bearer = headers.get('authorization', '').removeprefix('Bearer ')
        try:
            morsel = SimpleCookie(headers.get('cookie', '')).get(cookie_name(scope))
        except CookieError:
            morsel = None
        tries = [*given, bearer, morsel.value if morsel else '']
        return any(hmac.compare_digest(t.encode(), self.token.encode()) for t in tries)

    def headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Return the headers of every response."""
        out = [
            (b'content-security-policy', CONTENT_POLICY.encode()),
            (b'x-content-type-options', b'nosniff'),
            (b'referrer-policy', b'no-referrer'),
            (b'cache-control', b'no-cache'),
        ]
        if self.token and b'token=' in scope.get('query_string', b''):
            cookie = f'{cookie_name(scope)}={self.token}; HttpOnly; SameSite=Strict; Path=/'
            out.append((b'set-cookie', cookie.encode()))
        return out


def cookie_name(scope: Scope) -> str:
    """Return the name of the token cookie; it contains the port, because all ports of a host share their cookies."""
    return f'converseg_{scope["server"][1]}'


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    """Answer with `status` and one line, or close a websocket before it is accepted."""
    if scope['type'] == 'websocket':
        await receive()
        await send({'type': 'websocket.close', 'code': 1008, 'reason': why})
        return
    body = why.encode()
    head = [(b'content-type', b'text/plain; charset=utf-8'), (b'content-length', str(len(body)).encode())]
    await send({'type': 'http.response.start', 'status': status, 'headers': head})
    await send({'type': 'http.response.body', 'body': body})
