"""Make a connection in a thread, so that it can be given up at any moment.

The system's look-up of a name takes no timeout, and a connection waits as long as its timeout for
every address of the name. Neither can be interrupted.
"""

import socket
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread


class PendingConnection:
    """A connection that a thread makes; the thread closes it where it comes too late."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        """Call `connect` in the thread."""
        self._connect = connect
        self._ends: SimpleQueue[None] = SimpleQueue()  # a handler of a signal may put into it
        self._lock = Lock()
        self._given_up = False
        self._connected: socket.socket | None = None
        self._error: BaseException | None = None

    def wait(self, seconds: float | None = None) -> socket.socket | None:
        """Return the connection; None if it is not made within `seconds`, or until `give_up`.

        Raises what `connect` raises.
        """
        Thread(target=self._run, daemon=True).start()
        try:
            self._ends.get(timeout=seconds)
        except Empty:
            pass
        finally:
            connected, error = self._close_later_connection()
        if error is not None:
            raise error
        return connected

    def give_up(self) -> None:
        """End the wait; also from a handler of a signal."""
        self._ends.put(None)

    def _run(self) -> None:
        try:
            connected = self._connect()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            self._error = error
        else:
            with self._lock:
                if self._given_up:
                    connected.close()
                else:
                    self._connected = connected
        self._ends.put(None)

    def _close_later_connection(self) -> tuple[socket.socket | None, BaseException | None]:
        with self._lock:
            self._given_up = True
            return self._connected, self._error
