"""Ctrl-C while compiled code runs."""

# signal, which wraps this module, takes 0.02 ms where this one takes 0.004; small clouds take 0.4 in all.
import _signal  # type: ignore[import-not-found]
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Answer Ctrl-C at the end of a block that calls compiled code.

    Compiled code that returns arrays calls Python to make them. If the handler of a signal raised an
    exception there, the process would crash or report a SystemError, since numba does not expect one.
    """
    handler = _signal.getsignal(_signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()  # the one that handles signals
    if not in_main_thread or not callable(handler):
        yield
        return
    interrupts = []
    _signal.signal(_signal.SIGINT, lambda *arguments: interrupts.append(arguments))
    try:
        yield
    finally:
        _signal.signal(_signal.SIGINT, handler)
        for arguments in interrupts[:1]:
            handler(*arguments)
