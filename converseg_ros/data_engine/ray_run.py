"""Run the pipeline on a Ray cluster: each worker processes shards, the store is a shared folder."""

from dataclasses import replace
from typing import Any

from converseg_ros.core.errors import import_extra
from converseg_ros.core.progress import Progress, Report
from converseg_ros.core.stages import JobStage
from converseg_ros.data_engine.build import Plan, gather, make_pipeline

SHARDS_PER_WORKER = 4  # small enough that other workers do not wait for a slow one


def _run_shard(plan: Plan, index: int, count: int) -> dict[str, Any]:
    """Run one shard on a worker; the data set folder must have the same path there."""
    part = replace(plan, options=replace(plan.options, shard=f'{index}/{count}'))
    shots = gather(part.sources, part.max_images)
    return make_pipeline(part, shots).run(shots, part.out, publish=False)


def run_on_ray(plan: Plan, workers: int, report: Report | None = None) -> dict[str, Any]:
    """Run a plan as `workers` tasks on the cluster of RAY_ADDRESS, or on a local one; return the manifest."""
    with import_extra('ray'):
        import ray
    started = not ray.is_initialized()
    if started:
        ray.init(num_cpus=None if _cluster() else workers, include_dashboard=False, log_to_driver=False)
    try:
        task = ray.remote(num_cpus=1, max_retries=2)(_run_shard)
        count = workers * SHARDS_PER_WORKER
        waiting = [task.remote(plan, index, count) for index in range(count)]
        failed: list[dict[str, str]] = []
        total = len(waiting)
        while waiting:
            ready, waiting = ray.wait(waiting, num_returns=1)
            failed += [f for part in ray.get(ready) for f in part['failed']]
            if report:
                report(Progress('', JobStage.SHARDS, total - len(waiting), total))
    finally:
        if started:
            ray.shutdown()
    shots = gather(plan.sources, plan.max_images)
    return make_pipeline(plan, shots).publish(shots, plan.out, sorted(failed, key=lambda f: f['image']))


def _cluster() -> bool:
    import os

    return bool(os.environ.get('RAY_ADDRESS'))
