"""Tiny segmenters as files: a 1x1 convolution, or the channel that is greatest, TFLite and ONNX."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

_OF_TFLITE = {
    "float32": schema.TensorType.FLOAT32,
    "uint8": schema.TensorType.UINT8,
    "int64": schema.TensorType.INT64,
    "int32": schema.TensorType.INT32,
}
_OF_ONNX = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8}


def write_onnx(
    path: Path, weights: np.ndarray, shape: tuple[int | str, ...], labels: bool = False
) -> Path:
    """Write scores = weights (C, 3) . pixel as ONNX, NCHW; with ``labels`` the greatest of them."""
    nodes = [helper.make_node("Conv", ["image", "w"], ["scores"])]
    kind, output = TensorProto.FLOAT, "scores"
    if labels:
        nodes.append(helper.make_node("ArgMax", ["scores"], ["map"], axis=1, keepdims=0))
        kind, output = TensorProto.INT64, "map"
    graph = helper.make_graph(
        nodes, "segmenter",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info(output, kind, None)],
        [numpy_helper.from_array(weights[:, :, None, None].astype(np.float32), "w")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def write_tflite_scores(path: Path, weights: np.ndarray, size: tuple[int, int]) -> Path:
    """Write scores = weights (C, 3) . pixel as TFLite: float32 NHWC, batches of 1."""
    options = schema.Conv2DOptionsT()
    options.padding, options.strideH, options.strideW = schema.Padding.VALID, 1, 1
    options.dilationHFactor = options.dilationWFactor = 1
    count = len(weights)
    return _write(
        path,
        [
            ("image", (1, *size, 3), "float32", None),
            ("w", (count, 1, 1, 3), "float32", weights.astype("<f4")),
            ("b", (count,), "float32", np.zeros(count, "<f4")),
            ("scores", (1, *size, count), "float32", None),
        ],
        schema.BuiltinOperator.CONV_2D, schema.BuiltinOptions.Conv2DOptions, options,
    )  # fmt: skip


def write_tflite_labels(path: Path, size: tuple[int, int]) -> Path:
    """Write the number of the greatest channel as TFLite: uint8 NHWC to int64 (1, h, w)."""
    options = schema.ArgMaxOptionsT()
    options.outputType = schema.TensorType.INT64
    return _write(
        path,
        [
            ("image", (1, *size, 3), "uint8", None),
            ("axis", (), "int32", np.array(3, "<i4")),
            ("map", (1, *size), "int64", None),
        ],
        schema.BuiltinOperator.ARG_MAX, schema.BuiltinOptions.ArgMaxOptions, options,
    )  # fmt: skip


def _write(path: Path, tensors: list, operation: int, kind: int, options: object) -> Path:
    """Write a graph of one operation, from all tensors but the last to the last."""
    model, graph, code = schema.ModelT(), schema.SubGraphT(), schema.OperatorCodeT()
    model.version, model.buffers, graph.tensors = 3, [schema.BufferT()], []
    for name, shape, of, values in tensors:
        tensor, buffer = schema.TensorT(), schema.BufferT()
        tensor.name, tensor.shape, tensor.type = name, list(shape), _OF_TFLITE[of]
        if values is not None:
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        tensor.buffer = len(model.buffers)
        model.buffers.append(buffer)
        graph.tensors.append(tensor)
    code.builtinCode = code.deprecatedBuiltinCode = operation
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.outputs = 0, [len(tensors) - 1]
    operator.inputs = list(range(len(tensors) - 1))
    operator.builtinOptionsType, operator.builtinOptions = kind, options
    graph.inputs, graph.outputs, graph.operators = [0], operator.outputs, [operator]
    model.operatorCodes, model.subgraphs = [code], [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path
