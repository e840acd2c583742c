"""Check whether a node receives our requests and we receive its responses."""

import time

from rcl_interfaces.srv import GetParameters
from rclpy.node import Node
from rclpy.task import Future

PERIOD = 0.5  # seconds until an unanswered request is repeated


class Handshake:
    """A harmless request that is repeated until a node answers it.

    `service_is_ready` only means that this side has discovered the server. A server that has not yet discovered the
    response endpoint of this side executes the request and drops the response ("failed to send response: client will
    not receive response"), and on a loaded machine discovery takes longer than the 0.1 s that the middleware waits. The
    endpoints of a participant are announced in order, so once this request is answered, every client that was created
    before it receives its responses.
    """

    def __init__(self, node: Node, target: str) -> None:
        """Call the node with the full name `target`; create this object after the clients that it represents."""
        self._node, self.target = node, target
        self._client = node.create_client(GetParameters, f'{target}/get_parameters')
        self._asked: list[Future] = []
        self._last = float('-inf')
        self._done = False

    def done(self) -> bool:
        """Return whether the node has answered and still exists; call it repeatedly while the node is spun."""
        if not self._client.service_is_ready():
            self._done = False  # another node may appear with the same name
        elif any(f.done() for f in self._asked):
            self._done = True
            while self._asked:
                self._client.remove_pending_request(self._asked.pop())
        elif not self._done and time.monotonic() - self._last >= PERIOD:
            self._last = time.monotonic()
            self._asked.append(self._client.call_async(GetParameters.Request()))
        return self._done

    def close(self) -> None:
        """Destroy the client."""
        self._node.destroy_client(self._client)
