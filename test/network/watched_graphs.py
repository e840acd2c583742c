"""Graphs that run what would be recorded, and fail where recording would: for tests without a GPU."""

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from converseg_ros.network import graphs

DEVICE = torch.device('meta')
UPLOADS = {torch.tensor, torch.as_tensor, torch.from_numpy, torch.Tensor.new_tensor}


class Operations(TorchDispatchMode):
    """Count all operations, and name those that read or make a tensor elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.elsewhere: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = function(*args, **(kwargs or {}))
        self.count += 1
        if any(t.device != DEVICE for t in tree_leaves((args, kwargs, out)) if isinstance(t, torch.Tensor)):
            self.elsewhere.append(str(function))
        return out


class Uploads(TorchFunctionMode):
    """Name every call that makes a tensor of Python's numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function in UPLOADS:
            self.seen.append(str(function))
        return function(*args, **(kwargs or {}))


class WatchedGraphs(graphs.Graphs):
    """Runs what would be recorded, and fails where recording would."""

    def __init__(self) -> None:
        super().__init__(True)
        self.watched: set[Any] = set()

    def run(self, function: Callable[..., Any], key: Any, *tensors: Any) -> Any:
        assert all(t.device == DEVICE for t in tensors), f'{key}: an input is elsewhere'
        function(*tensors)
        with Uploads() as uploads, Operations() as operations:
            out = function(*tensors)
        assert operations.count > 10 and not operations.elsewhere and not uploads.seen
        self.watched.add(key[0] if isinstance(key, tuple) else key)
        return out
