"""What opens an exported segmenter and runs it for one image: LiteRT, and ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from vlmis_utils.core.errors import UserError, one_line

if TYPE_CHECKING:
    from vlmis_utils.protocol.models import ModelEntry

__all__ = ["Runtime", "open_file"]


class Runtime(Protocol):
    """An opened file with one image as input.

    Attributes:
        shape: of the input; None for a side that is free.
        kind: numpy's name of the input's type.
    """

    shape: tuple[int | None, ...]
    kind: str

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return the file's first output for one image, a batch of 1 in its shape and type."""
        ...


def open_file(entry: ModelEntry, path: Path) -> Runtime:
    """Open an exported segmenter with the runtime of its library.

    Raises:
        UserError: the runtime is not installed, it cannot read the file, or the file does not take
            one image.
    """
    opener = _LiteRT if entry.library == "litert" else _OnnxRuntime
    try:
        return opener(path)
    except ImportError:
        raise UserError(
            f"model {entry.name!r}: 'library: {entry.library}' needs {opener.package}:"
            f" pip install 'vlmis[{entry.library}]'"
        ) from None
    except Exception as error:  # each runtime, and each of its versions, raises kinds of its own
        raise UserError(
            f"model {entry.name!r}: {path} does not open ({one_line(error)}): copy or export it"
            " again"
        ) from error


class _LiteRT:
    """A `Runtime`: TFLite files."""

    package = "ai-edge-litert"

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(str(path), num_threads=torch.get_num_threads())
        first, *others = self._interpreter.get_input_details()
        if others:
            raise ValueError(f"it has {1 + len(others)} inputs, not one image")
        signature = first.get("shape_signature", first["shape"])
        self.shape = tuple(int(side) if side > 0 else None for side in signature)
        self.kind = np.dtype(first["dtype"]).name
        self._input = first["index"]
        self._ready: tuple[int, ...] | None = None

    def __call__(self, image: np.ndarray) -> np.ndarray:
        if self._ready != image.shape:
            self._interpreter.resize_tensor_input(self._input, image.shape)
            self._interpreter.allocate_tensors()
            self._ready = image.shape
        self._interpreter.set_tensor(self._input, image)
        self._interpreter.invoke()
        output = self._interpreter.get_output_details()[0]
        return self._interpreter.get_tensor(output["index"])


class _OnnxRuntime:
    """A `Runtime`: ONNX files."""

    package = "onnxruntime"

    def __init__(self, path: Path) -> None:
        import onnxruntime

        how = onnxruntime.SessionOptions()
        how.intra_op_num_threads = torch.get_num_threads()
        how.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(path), how, providers=["CPUExecutionProvider"]
        )
        first, *others = self._session.get_inputs()
        if others:
            raise ValueError(f"it has {1 + len(others)} inputs, not one image")
        self.shape = tuple(side if isinstance(side, int) else None for side in first.shape)
        kind = first.type.removeprefix("tensor(").removesuffix(")")
        self.kind = {"float": "float32", "double": "float64"}.get(kind, kind)
        self._input = first.name
        self._output = self._session.get_outputs()[0].name

    def __call__(self, image: np.ndarray) -> np.ndarray:
        return self._session.run([self._output], {self._input: image})[0]
