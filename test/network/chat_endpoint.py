"""A server of OpenAI's protocol that answers well or badly, as a test says."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
import threading
import time
from typing import ClassVar


class Endpoint(BaseHTTPRequestHandler):
    """Answers as `mode` says; `asked` counts requests."""

    mode: ClassVar[str] = 'good'
    asked: ClassVar[list[dict]] = []

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        Endpoint.asked.append({'path': self.path, 'key': self.headers.get('Authorization', ''), 'body': body})
        if self.mode == 'html':
            return self.send(200, b'<html>sign in</html>', {'Content-Type': 'text/html'})
        if self.mode == 'redirect':
            return self.send(302, b'', {'Location': 'http://127.0.0.1:9/elsewhere'})
        boxes = [{'phrase': 'Mug', 'box': [125, 167, 375, 500]}, {'phrase': 'mug', 'box': [float('nan')] * 4}]
        content = 'I see a mug.' if self.mode == 'babble' else json.dumps({'instances': boxes})
        if 'generateContent' in self.path:  # Gemini: the top first, and the key in a header of its own
            Endpoint.asked[-1]['key'] = self.headers.get('x-goog-api-key', '')
            rows = [{'phrase': 'mug', 'box': [167, 125, 500, 375]}]
            parts = [{'text': json.dumps({'instances': rows})}]
            reply = {'candidates': [{'content': {'parts': parts}, 'finishReason': 'STOP'}]}
            return self.send(200, json.dumps(reply).encode(), {'Content-Type': 'application/json'})
        usage = {'prompt_tokens': 1000, 'completion_tokens': 100}
        data = json.dumps({'choices': [{'message': {'content': content}}], 'usage': usage}).encode()
        if self.mode == 'drip':
            self.send_response(200)
            self.end_headers()
            try:
                for k in range(40):
                    self.wfile.write(data[k : k + 1])
                    self.wfile.flush()
                    time.sleep(0.1)
            except OSError:
                pass
            self.close_connection = True
            return None
        if self.mode == 'slow':
            time.sleep(2)
        return self.send(200, data, {'Content-Type': 'application/json'})

    def send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        try:
            self.send_response(status)
            for key, value in {**headers, 'Content-Length': str(len(data))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            pass


@contextmanager
def serving() -> Iterator[str]:
    """Serve on a free loopback port; yield the address."""
    server = ThreadingHTTPServer(('127.0.0.1', 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Endpoint.mode, Endpoint.asked = 'good', []
    yield f'http://127.0.0.1:{server.server_port}/v1'
    server.shutdown()
    server.server_close()
    thread.join()
