"""Who reads and maps: threads, local processes, or a Dask cluster; all of them a concurrent.futures.Executor."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from mapper.errors import MapperError, SettingError, SourceBusy, SourceDown

T = TypeVar("T")
Make = Callable[[], Executor]
LOOK = 1.0
"""Seconds between two looks whether somebody is there who would answer still."""
GONE = "the Dask scheduler is gone: start it, and say the command again: what is done stays done"


class Crew:
    """An executor that is made anew when one of its processes was killed: what it was at is asked for again."""

    def __init__(self, make: Make, size: int, is_gone: Callable[[], bool] | None = None) -> None:
        """Remember how to make it, how many tasks it works at side by side, and what tells that its cluster is gone."""
        self._make, self._lock, self._is_gone = make, Lock(), is_gone
        self._executor = make()
        self._by: WeakKeyDictionary[Future[Any], Executor] = WeakKeyDictionary()
        """Who was asked: when one pool breaks, all it was at fails, and it is replaced once."""
        self.size = size
        self.lost = ""
        """Why nothing more can be done, where that is so."""

    def submit(self, do: Callable[..., T], *arguments: Any) -> "Future[T]":
        """Have something done; see `result`."""
        self.check()
        executor = self._executor
        try:
            future = executor.submit(do, *arguments)
        except BrokenExecutor:
            self._renew(executor)
            executor = self._executor
            future = executor.submit(do, *arguments)
        self._by[future] = executor
        return future

    def result(self, future: "Future[T]") -> T:
        """Return what came of it; raises what it raised, SourceBusy where its process was killed.

        SourceDown where nothing more can be done: see `check`.
        """
        try:
            return self._awaited(future)
        except BrokenExecutor:
            self._renew(self._by[future])
            raise SourceBusy("a process that reads studies was killed: it is replaced") from None
        except CancelledError:
            self.lost = GONE
            raise SourceDown(self.lost) from None
        except SettingError as error:  # it would fail at every study
            self.lost = str(error)
            raise SourceDown(self.lost) from None
        except MapperError:
            raise
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "distributed":
                raise
            raise SourceBusy(f"the cluster failed at a study ({type(error).__name__})") from None

    def _awaited(self, future: "Future[T]") -> T:
        """Return what came of it; raises CancelledError where it never will: Dask gives some up without a word."""
        while self._is_gone and not future.done():
            wait([future], LOOK)
            if self._is_gone() and not future.done():
                raise CancelledError
        return future.result()

    def check(self) -> None:
        """Raise SettingError where nothing more can be done."""
        if self.lost:
            raise SettingError(self.lost)

    def close(self) -> None:
        """Let nobody begin anything more."""
        if isinstance(self._executor, ThreadPoolExecutor | ProcessPoolExecutor):
            self._executor.shutdown(wait=True, cancel_futures=True)
        elif not self.lost:
            self._executor.shutdown(wait=False)  # Dask's own, which gives up what it did not begin

    def _renew(self, broken: Executor) -> None:
        with self._lock:
            if self._executor is broken:
                broken.shutdown(wait=False)
                self._executor = self._make()


def stay_with(parent: int) -> None:
    """Let this process end with its parent, however that ends; an interrupt is the parent's to deal with."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


@contextmanager
def crew_of(threads: int, processes: int = 0, dask: str | None = None) -> Iterator[Crew]:
    """Make who reads and maps, and let go of it at the end; raises SettingError where Dask cannot be had."""
    is_gone = None
    if dask:
        from mapper.jobs.cluster import cluster

        make, size, is_gone = cluster(dask)
    elif processes:
        context = multiprocessing.get_context("spawn")

        def make() -> Executor:
            return ProcessPoolExecutor(processes, context, initializer=stay_with, initargs=(os.getpid(),))

        size = processes
    else:

        def make() -> Executor:
            return ThreadPoolExecutor(threads, "reader")

        size = threads
    crew = Crew(make, size, is_gone)
    try:
        yield crew
    finally:
        crew.close()
