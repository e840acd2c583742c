"""A lifecycle node that logs why a transition failed."""

from collections.abc import Callable
import traceback
from typing import Any

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from converseg_ros.core import ConversegError
from converseg_ros.ros.overrides import SameValue

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class LoggedLifecycleNode(SameValue, LifecycleNode):
    """Log each exception in a transition, which rclpy ignores, and fail the transition.

    Subclasses implement `configure`, `activate`, `deactivate` and `cleanup`, which may raise. `trouble` is the last
    failure as text.
    """

    trouble = ''

    def configure(self) -> None:
        """Allocate everything that takes time or memory."""

    def activate(self) -> None:
        """Start to work."""

    def deactivate(self) -> None:
        """Stop to work; state is kept."""

    def cleanup(self) -> None:
        """Release everything; must also work after a configure that failed halfway."""

    def _transition(self, name: str, step: Callable[[], None], undo: Callable[[], None] | None = None) -> Any:
        try:
            step()
        except Exception as error:
            self.trouble = str(error) if isinstance(error, ConversegError) else f'{type(error).__name__}: {error}'
            detail = '' if isinstance(error, ConversegError) else '\n' + traceback.format_exc()
            self.get_logger().error(f'{name} failed: {self.trouble}{detail}')
            if undo is not None:
                self._transition(f'undoing {name}', undo)
            return FAILURE
        if name == 'configure':
            self.trouble = ''
        return SUCCESS

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `configure`; on failure clean up."""
        return self._transition('configure', self.configure, self.cleanup)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `activate`."""
        done = self._transition('activate', self.activate, self.deactivate)
        return done if done != SUCCESS else super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `deactivate`."""
        done = self._transition('deactivate', self.deactivate)
        return done if done != SUCCESS else super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `cleanup`."""
        return self._transition('cleanup', self.cleanup)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `deactivate` and `cleanup`."""
        self._transition('deactivate', self.deactivate)
        return self._transition('cleanup', self.cleanup)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Return to the unconfigured state, so that configuring can be tried again."""
        return self._transition('cleanup', self.cleanup)

    @property
    def state(self) -> str:
        """Return the name of the lifecycle state."""
        return str(self._state_machine.current_state[1])

    def autostart(self) -> bool:
        """Configure and activate; return whether the node is active."""
        return bool(self.trigger_configure() == SUCCESS and self.trigger_activate() == SUCCESS)
