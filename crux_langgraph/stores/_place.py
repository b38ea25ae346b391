"""Where the embedded store keeps its file by default, and whether what is written there will be there tomorrow."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_FILE = "handoffs.sqlite"
_FOLDER = "crux-langgraph"

_SERVERLESS = {
    "AWS_LAMBDA_FUNCTION_NAME": "AWS Lambda",
    "FUNCTIONS_WORKER_RUNTIME": "Azure Functions",
    "K_SERVICE": "Cloud Run",
    "VERCEL": "Vercel",
}
_NETWORK = ("9p", "afs", "ceph", "cifs", "gcsfuse", "glusterfs", "lustre", "nfs", "s3fs", "smb", "sshfs", "virtiofs")
_VOLATILE = ("ramfs", "tmpfs")
_MOUNTS = Path("/proc/self/mounts")


def default_path(environment: Mapping[str, str]) -> Path:
    """Give the file of the embedded default, in the folder where a user's programs keep their state."""
    home = Path(environment.get("HOME") or Path("~").expanduser())
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / _FOLDER / _FILE
    state = environment.get("XDG_STATE_HOME")
    return (Path(state) if state else home / ".local" / "state") / _FOLDER / _FILE


def fault_of(path: str | os.PathLike[str], environment: Mapping[str, str], *, mounts: Path | None = None) -> str | None:
    """Say why nothing would be safe in a file at `path`; None where it would be."""
    for name, runtime in _SERVERLESS.items():
        if environment.get(name):
            return f"this is {runtime}, whose disk goes away with the process"
    return network_fault_of(path, mounts=mounts) or _volatile_fault_of(path, mounts)


def network_fault_of(path: str | os.PathLike[str], *, mounts: Path | None = None) -> str | None:
    """Say that `path` is on a network file system, where SQLite's WAL mode damages the file; None where it is not."""
    kind = _file_system_of(path, mounts)
    if any(name in kind for name in _NETWORK):
        return f"{os.fspath(path)} is on a network file system ({kind}), which SQLite cannot share safely"
    return None


def _volatile_fault_of(path: str | os.PathLike[str], mounts: Path | None) -> str | None:
    kind = _file_system_of(path, mounts)
    return f"{os.fspath(path)} is in memory ({kind}) and is gone after a restart" if kind in _VOLATILE else None


def _file_system_of(path: str | os.PathLike[str], mounts: Path | None) -> str:
    try:
        lines = (mounts or _MOUNTS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""  # not Linux: nothing to read there
    resolved = Path(path).resolve()
    kind, longest = "", -1
    for line in lines:
        _, point, found, *_ = line.split(" ")
        mounted = point.encode().decode("unicode_escape")  # a space in it is written as \040
        if resolved.is_relative_to(mounted) and len(mounted) >= longest:
            kind, longest = found, len(mounted)
    return kind
