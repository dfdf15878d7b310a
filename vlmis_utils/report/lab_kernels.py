"""What JupyterLab starts kernels with: in the folder that it serves, wherever a page lies."""

from __future__ import annotations

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

__all__ = ["FolderKernels"]


class FolderKernels(AsyncMappingKernelManager):
    """Starts every kernel in ``root_dir``."""

    def cwd_for_path(self, path: str, **_: object) -> str:
        """Return the folder in which the kernel of a notebook starts.

        Args:
            path: of the notebook, below ``root_dir``; it does not matter.
        """
        return super().cwd_for_path("", **_)
