"""A real HTTP server that speaks OpenAI's or Gemini's protocol for the scene judge, and misbehaves when told to."""

from __future__ import annotations

import base64
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
import re
import threading
import time

import cv2
import numpy as np

from converseg_ros.data_engine.contracts import Picture, Region
from converseg_ros.data_engine.judges.facts_judge import FactsJudge
from converseg_ros.data_engine.world.sources import Shot
from converseg_ros.data_engine.world.world import World

Fault = Callable[[str, int], str]  # (task, number of the call) -> '' or a fault's name


class _OpenAI:
    base = '/v1'

    @staticmethod
    def read(body: dict) -> tuple[str, list[np.ndarray]]:
        content = body['messages'][1]['content']
        return content[0]['text'], [_decode(c['image_url']['url'].split(',', 1)[1]) for c in content[1:]]

    @staticmethod
    def write(answer: str, fault: str) -> dict:
        message: dict[str, object] = {'role': 'assistant', 'content': answer}
        if fault == 'refusal':
            message = {'role': 'assistant', 'content': None, 'refusal': 'I cannot help with that.'}
        return {
            'choices': [{'message': message, 'finish_reason': 'stop'}],
            'usage': {'prompt_tokens': 1000, 'completion_tokens': 100},
        }


class _Gemini:
    base = ''

    @staticmethod
    def read(body: dict) -> tuple[str, list[np.ndarray]]:
        parts = body['contents'][0]['parts']
        return parts[0]['text'], [_decode(p['inline_data']['data']) for p in parts[1:]]

    @staticmethod
    def write(answer: str, fault: str) -> dict:
        if fault == 'refusal':
            return {'promptFeedback': {'blockReason': 'SAFETY'}, 'usageMetadata': {'promptTokenCount': 1000}}
        if fault == 'unsafe':
            return {'candidates': [{'finishReason': 'SAFETY'}], 'usageMetadata': {'promptTokenCount': 1000}}
        half = len(answer) // 2
        parts = [{'text': 'Let me look.', 'thought': True}, {'text': answer[:half]}, {'text': answer[half:]}]
        if fault == 'empty':
            return {'candidates': [{'content': {'role': 'model'}, 'finishReason': 'MAX_TOKENS'}]}
        return {
            'candidates': [{'content': {'role': 'model', 'parts': parts}, 'finishReason': 'STOP', 'index': 0}],
            'usageMetadata': {'promptTokenCount': 1000, 'candidatesTokenCount': 60, 'thoughtsTokenCount': 40},
        }


class JudgeServer:
    """Serves on a free loopback port until closed; `calls` lists the tasks answered."""

    def __init__(self, shots: list[Shot], fault: Fault = lambda task, number: '', protocol: str = 'openai') -> None:
        self.fault, self.calls, self.bodies, self.headers, self.paths = fault, [], [], [], []
        self._protocol = {'openai': _OpenAI, 'gemini': _Gemini}[protocol]
        self._lock = threading.Lock()
        # every image is looked at in advance, so that no answer takes long
        self._judges = {s.key: _looked_at(s) for s in shots}
        self.shots = {s.key: s for s in shots}
        self._small = {s.key: _thumb(cv2.imread(str(s.path))[..., ::-1]) for s in shots}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer._serve(self)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self._server.server_port}{self._protocol.base}'
        threading.Thread(target=self._server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers['content-length'])))
        text, images = self._protocol.read(body)
        task = re.match(r'TASK: (\w+)', text)[1]
        with self._lock:
            self.calls.append(task)
            self.bodies.append(json.dumps(body))
            self.headers.append(dict(handler.headers))
            self.paths.append(handler.path)
            fault = self.fault(task, len(self.calls))
            answer = json.dumps(self._answer(task, text, images))
        if fault == 'timeout':
            time.sleep(1.0)
        if fault == '503':
            handler.send_response(503)
            handler.end_headers()
            return
        if fault == 'nonsense':
            answer = 'As a cat I prefer fish. {"meow": [}'
        if fault == 'half':
            answer = answer[: len(answer) // 2]
        if fault == 'outside' and task == 'describe':
            rows = json.loads(answer)
            rows['regions'] += [
                {'text': 'a ghost', 'category': 'ghost', 'box': [1200, 1200, 1500, 1500]},
                {'text': 'a line', 'category': 'line', 'box': [10, 10, 10, 900]},
                {'text': 'the wide thing', 'category': 'table', 'box': [-500, -20, 1700, 3000]},
            ]
            answer = json.dumps(rows)
        if fault == 'fenced':
            answer = f'Sure! Here it is:\n```json\n{answer}\n```'
        data = json.dumps(self._protocol.write(answer, fault)).encode()
        if fault == 'cut':
            data = data[: len(data) // 2]
        handler.send_response(200)
        handler.send_header('content-type', 'application/json')
        handler.send_header('content-length', str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def _answer(self, task: str, text: str, images: list[np.ndarray]) -> dict[str, object]:
        thumb = _thumb(images[0])
        key = min(self._small, key=lambda k: float(np.abs(self._small[k] - thumb).mean()))
        world, judge = self._judges[key]
        picture = Picture(key, np.zeros((world.height, world.width, 3), np.uint8))
        regions = judge.describe(picture)
        scale = (1000 / world.width, 1000 / world.height) * 2
        order = [1, 0, 3, 2] if '[top, left, bottom, right]' in text else [0, 1, 2, 3]
        if task == 'describe':
            rows = [
                {'text': r.text, 'category': r.category, 'box': [round(r.box[i] * scale[i], 1) for i in order]}
                for r in regions
            ]
            return {'regions': rows}
        mask = (
            cv2.resize(images[2], (world.width, world.height), interpolation=cv2.INTER_NEAREST)[..., 0] > 127
            if len(images) > 2
            else None
        )
        if task == 'verify':
            said = re.search(r'Does the region cover (".*?") \(box (\[.*?\])', text, re.DOTALL)
            written = [json.loads(said[2])[i] for i in order]
            box = tuple(round(v / s) for v, s in zip(written, scale))
            name = json.loads(said[1]).removeprefix('the ')
            found = [r for r in regions if r.text == f'the {name}']
            region = Region(key='x', text=f'the {name}', category=found[0].category if found else name, box=box)
            return judge.verify(picture, region, mask).model_dump()
        if task == 'align':
            said = json.loads(re.search(r'A person says: (".*?")\n', text)[1])
            return judge.align(picture, said, mask).model_dump()
        listed = json.loads(re.search(r'have been checked: (\[.*?\])\nTheir boxes', text, re.DOTALL)[1])
        keys = {}
        for row in listed:
            row['box'] = [row['box'][i] for i in order]
        for row in listed:  # the client's keys for our regions, by box
            best = min(
                regions,
                key=lambda r: (r.text != row['text'], sum(abs(a * s - b) for a, b, s in zip(r.box, row['box'], scale))),
            )
            keys[best.key] = row['key']
        counts = re.search(r'Write (\d+) things.*?and (\d+) that', text, re.DOTALL)
        total = int(counts[1]) + int(counts[2])
        drafts = judge.prompts(picture, [r for r in regions if r.key in keys], total, int(counts[2]) / max(1, total))
        rows = [{**d.model_dump(), 'regions': [keys[k] for k in d.regions]} for d in drafts]
        return {'prompts': rows}


def _looked_at(shot: Shot) -> tuple[World, FactsJudge]:
    world = shot.world()
    judge = FactsJudge('scene', lambda _: world)
    judge.describe(Picture(shot.key, np.zeros((world.height, world.width, 3), np.uint8)))
    return world, judge


def _decode(encoded: str) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(encoded), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]


def _thumb(rgb: np.ndarray) -> np.ndarray:
    return cv2.resize(np.ascontiguousarray(rgb), (32, 24), interpolation=cv2.INTER_AREA).astype(np.float32)
