"""A server of OpenAI's protocol that describes four things at fixed places and agrees with every mask."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
import re
import threading

DESCRIBED = [
    {'text': 'the red mug', 'category': 'Mugs', 'box': [300, 300, 700, 700]},
    {'text': 'the table', 'category': 'table', 'box': [0, 400, 1000, 1000]},
    {'text': 'the wall', 'category': 'wall', 'box': [0, 0, 1000, 400]},
    {'text': 'the flibbertigibbet', 'category': 'flibbertigibbet', 'box': [600, 100, 900, 500]},
]
WRITTEN = [
    {'text': 'the red mug', 'regions': ['r0'], 'sub_concept': 'instance', 'phase': 'literal', 'strategy': 'positive'},
    {
        'text': 'what could I drink coffee from?',
        'regions': ['r0'],
        'sub_concept': 'drink',
        'phase': 'conversational',
        'strategy': 'positive',
    },
    {
        'text': 'the blue teapot',
        'regions': [],
        'sub_concept': 'instance',
        'phase': 'literal',
        'strategy': 'missing_cousin',
    },
]


class AgreeingJudge:
    """Serves on a free loopback port until closed; `calls` lists the tasks."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers['content-length'])))
                text = body['messages'][1]['content'][0]['text']
                task = re.match(r'TASK: (\w+)', text)[1]
                outer.calls.append(task)
                answer = {
                    'describe': {'regions': DESCRIBED},
                    'write': {'prompts': WRITTEN},
                }.get(task, {'ok': True, 'score': 0.95, 'reason': 'agreed'})
                message = {'role': 'assistant', 'content': json.dumps(answer)}
                usage = {'prompt_tokens': 100, 'completion_tokens': 10}
                data = json.dumps({'choices': [{'message': message, 'finish_reason': 'stop'}], 'usage': usage}).encode()
                self.send_response(200)
                self.send_header('content-type', 'application/json')
                self.send_header('content-length', str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self._server.server_port}/v1'
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


if __name__ == '__main__':
    judge = AgreeingJudge()
    print(judge.url, flush=True)
    threading.Event().wait()
