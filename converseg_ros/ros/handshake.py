"""Find out whether a node hears our requests and we hear its answers."""

import time

from rcl_interfaces.srv import GetParameters
from rclpy.node import Node
from rclpy.task import Future

PERIOD = 0.5  # seconds before an unanswered question is asked again


class Handshake:
    """A question asked until a node answers it.

    `service_is_ready` says only that this side has found the server. A server that has not yet found this side's end
    for answers does the work and drops the answer ("failed to send response: client will not receive response"), and on
    a busy machine finding takes longer than the tenth of a second that the middleware waits. A participant's endpoints
    are announced in order, so once this question, which may be asked twice, is answered, every client made before it
    gets its answers.
    """

    def __init__(self, node: Node, target: str) -> None:
        """Ask the node of full name `target`; make this after the clients that it stands for."""
        self._node, self.target = node, target
        self._client = node.create_client(GetParameters, f'{target}/get_parameters')
        self._asked: list[Future] = []
        self._last = float('-inf')
        self._done = False

    def done(self) -> bool:
        """Whether the node has answered and is still there; call it again and again while something spins our node."""
        if not self._client.service_is_ready():
            self._done = False  # another one may come under the same name
        elif any(f.done() for f in self._asked):
            self._done = True
            while self._asked:
                self._client.remove_pending_request(self._asked.pop())
        elif not self._done and time.monotonic() - self._last >= PERIOD:
            self._last = time.monotonic()
            self._asked.append(self._client.call_async(GetParameters.Request()))
        return self._done

    def close(self) -> None:
        """Give the client back."""
        self._node.destroy_client(self._client)
