"""Makes open.onnx: a classifier whose batch, height and width are open, and whose output has a name of its own."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

draw = np.random.default_rng(7)
weights = {
    "conv.weight": draw.normal(0, 0.3, (4, 3, 3, 3)),
    "fc.weight": draw.normal(0, 0.5, (2, 4)),
    "fc.bias": draw.normal(0, 0.5, 2),
}
nodes = [
    helper.make_node("Conv", ["pixels", "conv.weight"], ["1"], name="1/Conv", pads=[1, 1, 1, 1]),
    helper.make_node("Relu", ["1"], ["2"], name="2/Relu"),
    helper.make_node("GlobalAveragePool", ["2"], ["3"], name="3/GlobalAveragePool"),
    helper.make_node("Flatten", ["3"], ["4"], name="4/Flatten"),
    helper.make_node("Gemm", ["4", "fc.weight", "fc.bias"], ["logits"], name="5/Gemm", transB=1),
]
graph = helper.make_graph(
    nodes,
    "open",
    [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 3, "H", "W"])],
    [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2])],
    [numpy_helper.from_array(values.astype(np.float32), name) for name, values in weights.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, Path(__file__).parent / "open.onnx")
