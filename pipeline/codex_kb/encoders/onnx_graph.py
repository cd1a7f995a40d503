"""The ONNX graph of a BERT with its pooling, written as the protobuf messages of onnx.proto.

Neither torch nor the onnx package is needed for that. Weights are named here; a session gets their values.
Operators: https://onnx.ai/onnx/operators and ONNX Runtime's docs/ContribOperators.md (domain com.microsoft).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_CONTRIB = "com.microsoft"
_OPSETS = {"": 18, _CONTRIB: 1}
_IR_VERSION = 9
_FLOAT, _INT32, _INT64 = 1, 6, 7  # TensorProto.DataType

_Attribute = float | int | tuple[int, ...]


class Shape(NamedTuple):
    """What the graph depends on: sizes of the model, and whether the first token stands for a text, or the mean."""

    layers: int
    heads: int
    width: int
    epsilon: float
    first_token: bool


def bert_graph(shape: Shape, weights: Mapping[str, tuple[int, ...]]) -> bytes:
    """A serialized ModelProto: int32 `ids` of shape (texts, tokens) to unit rows `vectors` (texts, width).

    `weights` gives the shape of each weight; their values come with the session. Post-norm encoder of
    https://arxiv.org/abs/1810.04805 with the exact GELU.
    """
    nodes: list[bytes] = []

    def op(kind: str, inputs: Sequence[str], output: str, domain: str = "", **attributes: _Attribute) -> str:
        # The operator that embeds has a second output, for padding, which is not used here.
        outputs = [output, "unpadded"] if kind == "EmbedLayerNormalization" else [output]
        nodes.append(_node(kind, inputs, outputs, domain, attributes))
        return output

    norm: dict[str, Any] = {"epsilon": shape.epsilon}
    op("EmbedLayerNormalization", ["ids", "", "words", "positions", "", "norm.scale", "norm.bias"], "x", _CONTRIB,
       **norm)  # fmt: skip
    x = "x"
    for layer in range(shape.layers):
        at = f"{layer}."

        def linear(source: str, name: str, at: str = at) -> str:
            return op("Add", [op("MatMul", [source, at + name], f"{at}{name}.product"), f"{at}{name}.bias"],
                      f"{at}{name}.out")  # fmt: skip

        def normed(new: str, old: str, name: str, at: str = at) -> str:
            total = op("Add", [new, old], f"{at}{name}.sum")
            return op("LayerNormalization", [total, f"{at}{name}.scale", f"{at}{name}.bias"], f"{at}{name}.out", **norm)

        query = linear(x, "query")
        key, value = (op("MatMul", [x, at + name], f"{at}{name}.out") for name in ("key", "value"))
        mixed = op("MultiHeadAttention", [query, key, value], f"{at}mixed", _CONTRIB, num_heads=shape.heads)
        middle = normed(linear(mixed, "attended"), x, "norm1")
        inner = op("MatMul", [middle, f"{at}inner"], f"{at}inner.product")
        inner = op("BiasGelu", [inner, f"{at}inner.bias"], f"{at}inner.out", _CONTRIB)
        x = normed(linear(inner, "outer"), middle, "norm2")
    if not shape.first_token:
        # Reducing the middle axis takes another order of sums for one text than for several; the last axis does not.
        turned = op("Transpose", [x], "turned", perm=(0, 2, 1))
        pooled = op("ReduceMean", [turned, "last axis"], "pooled", keepdims=0)
    else:
        pooled = op("Gather", [x, "first token"], "pooled", axis=1)
    op("LpNormalization", [pooled], "vectors", axis=-1, p=2)
    return _model(nodes, shape, weights)


def _model(nodes: Sequence[bytes], shape: Shape, weights: Mapping[str, tuple[int, ...]]) -> bytes:
    """The ModelProto of these nodes: `ids` in, `vectors` out, and one constant of the graph's own."""
    constant = ("first token", (), 0) if shape.first_token else ("last axis", (1,), -1)
    body = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "bert")
    body += b"".join(_bytes(5, _external(name, size)) for name, size in weights.items())
    body += _bytes(5, _scalar(*constant))
    body += _bytes(11, _value("ids", _INT32, ("texts", "tokens")))
    body += _bytes(12, _value("vectors", _FLOAT, ("texts", shape.width)))
    opsets = b"".join(_bytes(8, _bytes(1, domain) + _int(2, version)) for domain, version in _OPSETS.items())
    return _int(1, _IR_VERSION) + _bytes(7, body) + opsets


# Messages of onnx.proto in protobuf's encoding (https://protobuf.dev/programming-guides/encoding/); the numbers are
# those of the fields.


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _int(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _attribute(name: str, value: _Attribute) -> bytes:
    """AttributeProto of a float, an int or several ints."""
    if isinstance(value, tuple):
        return _bytes(1, name) + b"".join(_int(8, number) for number in value) + _int(20, 7)
    if isinstance(value, int):
        return _bytes(1, name) + _int(3, value) + _int(20, 2)
    return _bytes(1, name) + _varint(2 << 3 | 5) + struct.pack("<f", value) + _int(20, 1)


def _node(
    kind: str, inputs: Sequence[str], outputs: Sequence[str], domain: str, attributes: Mapping[str, _Attribute]
) -> bytes:
    """NodeProto, named by its first output; an empty input is one left out."""
    data = b"".join(_bytes(1, name) for name in inputs) + b"".join(_bytes(2, name) for name in outputs)
    data += _bytes(3, outputs[0]) + _bytes(4, kind)
    data += b"".join(_bytes(5, _attribute(name, value)) for name, value in attributes.items())
    return data + (_bytes(7, domain) if domain else b"")


def _external(name: str, shape: tuple[int, ...]) -> bytes:
    """TensorProto of floats that are elsewhere; the place is never opened, for the session has the values."""
    place = _bytes(13, _bytes(1, "location") + _bytes(2, "weights"))
    return b"".join(_int(1, size) for size in shape) + _int(2, _FLOAT) + _bytes(8, name) + place + _int(14, 1)


def _scalar(name: str, shape: tuple[int, ...], value: int) -> bytes:
    """TensorProto of one int64."""
    sizes = b"".join(_int(1, size) for size in shape)
    return sizes + _int(2, _INT64) + _bytes(8, name) + _bytes(9, struct.pack("<q", value))


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    """ValueInfoProto of a tensor; a name in the shape is a size that varies."""
    sizes = b"".join(_bytes(1, _bytes(2, s) if isinstance(s, str) else _int(1, s)) for s in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _int(1, kind) + _bytes(2, sizes)))
