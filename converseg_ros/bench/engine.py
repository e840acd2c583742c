"""Measure the data engine: prompts per second without the time of the judge, and the cost of resuming a finished run.

converseg bench engine --source scenes/train --json engine.json
"""

import argparse
from pathlib import Path
import tempfile
import time
from typing import Any

from converseg_ros.core.files import write_json

PROMPTS_PER_S, RESUME_S = 20.0, 5.0  # limits in docs/engine.md


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--source', type=Path, action='append', required=True, help='scenes or a COCO folder')
    parser.add_argument('--judge', default='scene', choices=('scene', 'labels'))
    parser.add_argument('--max-images', type=int, default=40)
    parser.add_argument('--json', type=Path, help='write the results here')


class _Timed:
    """A judge that counts the time and calls of another judge."""

    def __init__(self, judge: Any) -> None:
        self._judge, self.seconds, self.calls, self.name = judge, 0.0, 0, judge.name

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._judge, name)

        def timed(*args: Any) -> Any:
            start = time.perf_counter()
            try:
                return method(*args)
            finally:
                self.seconds += time.perf_counter() - start
                self.calls += 1

        return timed


def run(args: argparse.Namespace) -> int:
    """Measure, print and write; return 1 if a limit is exceeded."""
    from converseg_ros.data_engine.build import Plan, gather, make_pipeline
    from converseg_ros.data_engine.options import RunOptions

    with tempfile.TemporaryDirectory(prefix='converseg-bench-') as folder:
        plan = Plan(args.source, Path(folder) / 'data', RunOptions(judge=args.judge))
        shots = gather(plan.sources, args.max_images)
        pipeline = make_pipeline(plan, shots)
        judge = _Timed(pipeline.judge)
        pipeline.judge = judge
        start = time.perf_counter()
        manifest = pipeline.run(shots, plan.out)
        whole = time.perf_counter() - start
        first_calls = judge.calls
        start = time.perf_counter()
        again = gather(plan.sources, args.max_images)
        pipeline.run(again, plan.out)
        resumed = time.perf_counter() - start
        calls = judge.calls - first_calls
    own = whole - judge.seconds
    result = {
        'items': manifest['items'],
        'images': len(shots),
        'seconds': round(whole, 3),
        'judge_seconds': round(judge.seconds, 3),
        'prompts_per_s_with_judge': round(manifest['items'] / whole, 1),
        'prompts_per_s_without_judge': round(manifest['items'] / own, 1),
        'resume_calls': calls,
        'resume_seconds': round(resumed, 3),
        'resume_seconds_per_1000': round(1000 * resumed / max(1, manifest['items']), 3),
        'command': args.command_line,
    }
    kept = (
        result['prompts_per_s_without_judge'] >= PROMPTS_PER_S
        and result['resume_seconds_per_1000'] < RESUME_S
        and calls == 0
    )
    result['kept'] = kept
    for name, value in result.items():
        print(f'{name}: {value}')
    if args.json:
        write_json(args.json, result)
    return 0 if kept else 1
