"""Newest frame only, requests first, and a thread that outlives what goes wrong."""

from threading import Event

from converseg_ros.perception.worker import LatestItemWorker, Ticker


def test_only_the_newest_item_is_handled_and_jobs_come_first() -> None:
    begun, go, ended = Event(), Event(), Event()
    seen: list[object] = []

    def handle(item: int) -> None:
        seen.append(item)
        if item == 0:
            begun.set()
            go.wait(5)
        if item == 3:
            ended.set()

    worker: LatestItemWorker[int] = LatestItemWorker('test', handle, seen.append)
    worker.offer(0)
    assert begun.wait(5)
    assert [worker.offer(n) for n in (1, 2, 3)] == [False, True, True]
    worker.submit(lambda: seen.append('job'))
    assert not worker.idle
    go.set()
    assert ended.wait(5)
    assert seen == [0, 'job', 3] and worker.replaced == 2
    assert worker.close(5)


def test_an_exception_is_told_and_the_thread_goes_on() -> None:
    failures: list[Exception] = []
    done = Event()

    def handle(item: int) -> None:
        if item == 1:
            raise RuntimeError('broken')
        done.set()

    worker: LatestItemWorker[int] = LatestItemWorker('test', handle, failures.append)
    worker.submit(lambda: 1 / 0)
    worker.submit(lambda: worker.offer(1))
    worker.submit(lambda: None)
    while len(failures) < 2:
        done.wait(0.01)
    worker.offer(2)
    assert done.wait(5)
    assert [type(e) for e in failures] == [ZeroDivisionError, RuntimeError]
    assert worker.close(5)


def test_a_ticker_goes_on_after_an_exception_takes_another_period_at_once_and_ends() -> None:
    thrice, told = Event(), Event()
    calls: list[int] = []

    def call() -> None:
        calls.append(len(calls))
        if len(calls) == 1:
            raise RuntimeError('broken')
        if len(calls) == 3:
            thrice.set()

    ticker = Ticker('test', 3600.0, call, lambda error: told.set())
    assert not told.wait(0.05)
    ticker.every(0.01)
    assert told.wait(5) and thrice.wait(5)
    assert ticker.close(5)
    count = len(calls)
    assert not Event().wait(0.05) and len(calls) == count
