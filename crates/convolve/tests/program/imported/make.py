"""Makes classifiers that this program would not write.

open.onnx           batch, height and width are open, and the output has a name of its own
channels_last.onnx  as TensorFlow's are converted: images of rows, columns and channels, turned round first, the maps turned
                    back before they are flattened
bytes.onnx          reads bytes
single.onnx         makes one number, and no row of it
rows.onnx           a single image of open rows, columns and channels: its first axis is no batch
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent


def save(name, nodes, inputs, outputs, weights):
    """A model of inputs and outputs by name, element type and extents."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        name,
        [value(*of) for of in inputs],
        [value(*of) for of in outputs],
        [numpy_helper.from_array(values, of) for of, values in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, HERE / f"{name}.onnx")


draw = np.random.default_rng(7)


def weight(deviation, *shape):
    return draw.normal(0, deviation, shape).astype(np.float32)


weights = {
    "conv.weight": weight(0.3, 4, 3, 3, 3),
    "fc.weight": weight(0.5, 2, 4),
    "fc.bias": weight(0.5, 2),
}
convolved = [
    helper.make_node("Conv", ["pixels", "conv.weight"], ["1"], name="1/Conv", pads=[1, 1, 1, 1]),
    helper.make_node("Relu", ["1"], ["2"], name="2/Relu"),
    helper.make_node("GlobalAveragePool", ["2"], ["3"], name="3/GlobalAveragePool"),
    helper.make_node("Flatten", ["3"], ["4"], name="4/Flatten"),
]
logits = [
    *convolved,
    helper.make_node("Gemm", ["4", "fc.weight", "fc.bias"], ["logits"], name="5/Gemm", transB=1),
]
FLOAT = TensorProto.FLOAT
save(
    "open",
    logits,
    [("pixels", FLOAT, ["N", 3, "H", "W"])],
    [("logits", FLOAT, ["N", 2])],
    weights,
)

save(
    "channels_last",
    [
        helper.make_node("Transpose", ["image"], ["0"], name="0/Transpose", perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["0", "stem.weight"], ["1"], name="1/Conv", pads=[1, 0, 1, 0], strides=[2, 4]),
        helper.make_node("Relu", ["1"], ["2"], name="2/Relu"),
        helper.make_node("MaxPool", ["2"], ["3"], name="3/MaxPool", kernel_shape=[2, 1], strides=[2, 1]),
        helper.make_node("Transpose", ["3"], ["4"], name="4/Transpose", perm=[0, 2, 3, 1]),
        helper.make_node("Relu", ["4"], ["5"], name="5/Relu"),
        helper.make_node("Flatten", ["5"], ["6"], name="6/Flatten"),
        helper.make_node("Gemm", ["6", "dense.weight"], ["logits"], name="7/Gemm", transB=1),
    ],
    [("image", FLOAT, ["N", 16, 22, 3])],
    [("logits", FLOAT, ["N", 2])],
    {"stem.weight": weight(0.3, 6, 3, 3, 6), "dense.weight": weight(0.2, 2, 4 * 5 * 6)},
)

save(
    "bytes",
    [helper.make_node("Cast", ["bytes"], ["pixels"], name="0/Cast", to=FLOAT), *logits],
    [("bytes", TensorProto.UINT8, ["N", 3, 8, 8])],
    [("logits", FLOAT, ["N", 2])],
    weights,
)

save(
    "single",
    [*convolved, helper.make_node("ReduceSum", ["4", "axis"], ["logit"], name="5/ReduceSum", keepdims=0)],
    [("pixels", FLOAT, [1, 3, 8, 8])],
    [("logit", FLOAT, [1])],
    {"conv.weight": weights["conv.weight"], "axis": np.array([1])},
)
save(
    "rows",
    [
        helper.make_node("Unsqueeze", ["image", "first"], ["batch"], name="batch"),
        helper.make_node("Transpose", ["batch"], ["pixels"], name="turned", perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["pixels", "conv.weight"], ["map"], name="conv", pads=[1, 1, 1, 1]),
    ],
    [("image", FLOAT, ["H", 33, 3])],
    [("map", FLOAT, [1, 4, "H", 33])],
    {"conv.weight": weights["conv.weight"], "first": np.array([0])},
)
