"""How malloc treats what is freed."""

import ctypes

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h
MB = 1 << 20


def keep_freed_memory() -> None:
    """Let malloc keep what is freed (glibc, mallopt(3)), up to 1 GB.

    A camera's images and a network's activations are of the same sizes again and again; by default they are given back
    to the kernel and taken anew each time, and zeroing their pages costs several times what is computed in them.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 32 * MB)
        mallopt(M_TRIM_THRESHOLD, 1024 * MB)
        mallopt(M_TOP_PAD, 256 * MB)  # else the 64 MB heaps of threads are given back whenever one is empty
