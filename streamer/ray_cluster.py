"""The Ray cluster that workers run on: started on this machine, or joined. Ray itself is an extra (`rostrum[ray]`)."""

from __future__ import annotations

import importlib
import logging
import os
from typing import Any

from streamer.worker_pool import PoolError


def connect(where: str, num_workers: int) -> Any:
    """The `ray` module, connected. `ray`: started on this machine, with room for so many workers; `ray://HOST:10001`: a
    cluster that runs; `ray:auto`: the one that this machine is a node of. Raises PoolError."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray = importlib.import_module("ray")
    except ImportError:
        raise PoolError("--pool ray: Ray is not installed; pip install 'ray[client]==2.60.0', or rostrum[ray]") from None
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if where == "ray":
        cores = max(num_workers, os.cpu_count() or 1)
        options |= {"address": "local", "num_cpus": cores, "include_dashboard": False}
    else:
        options |= {"address": "auto" if where == "ray:auto" else where}
    try:
        ray.init(**options)
    except Exception as error:  # Ray raises that itself
        raise PoolError(f"--pool {where}: Ray cannot be reached or started: {error}") from error
    return ray
