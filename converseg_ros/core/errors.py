"""Exceptions that state what is wrong, where, and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager


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


@contextmanager
def import_extra(extra: str) -> Iterator[None]:
    """Report a package that an import needs and that is missing, with the extra of setup.py that installs it.

    Raises:
        ConversegError: a module is not installed; `do` has the command.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConversegError(f'{error.name} is not installed', do=f"pip install '.[{extra}]' in the clone") from error


@contextmanager
def parsing(what: str, where: object, do: str = '') -> Iterator[None]:
    """Report everything that fails while `where` is read and interpreted as `what` by one InputError.

    An InputError that names `where` itself is not changed.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        if isinstance(error, InputError) and error.where == str(where):
            raise
        reason = f'{error} is missing' if isinstance(error, KeyError) else error
        raise InputError(f'not {what} ({reason})', where=str(where), do=do) from error


@contextmanager
def writing(
    path: object, what: str = 'cannot write', do: str = 'free disk space, then run the same command again'
) -> Iterator[None]:
    """Report a failure to write a file or folder by a ConversegError that names it."""
    try:
        yield
    except OSError as error:
        raise ConversegError(f'{what} ({error.strerror or error})', where=str(path), do=do) from error
