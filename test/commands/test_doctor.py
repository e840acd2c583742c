"""`converseg doctor`: the versions of Python that the package supports are accepted, others are reported."""

import sys

import pytest

from converseg_ros.commands.doctor import check_python


@pytest.mark.parametrize(
    ('version', 'level'), [((3, 10), 'missing'), ((3, 11), 'ok'), ((3, 14), 'ok'), ((3, 15), 'missing')]
)
def test_the_supported_versions_of_python_are_accepted(
    version: tuple[int, int], level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, 'version_info', (*version, 0, 'final', 0))
    assert next(check_python()).level == level
