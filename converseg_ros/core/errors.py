"""Exceptions that state what is wrong, where, and what to do."""


class ConversegError(Exception):
    """A failure: `what` went wrong, `where`, and what to `do` about it."""

    def __init__(self, what: str, *, where: str = '', do: str = '') -> None:
        self.what, self.where, self.do = what, where, do
        super().__init__(what, where, do)

    def __str__(self) -> str:
        """Return the three parts in one line."""
        text = f'{self.where}: {self.what}' if self.where else self.what
        return f'{text}; {self.do}' if self.do else text


class InputError(ConversegError, ValueError):
    """The caller's data cannot be used as it is."""
