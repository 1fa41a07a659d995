#!/usr/bin/env python3
"""The ONNX project's own tests, packed for this test suite: node.safetensors and converted.safetensors.

    pip install onnx numpy
    make.py

Both suites come with the package `onnx`: the node tests of all operators that networks on images are made of, with a few
that its reference implementation answers, and the tests converted from PyTorch. A case is left out when it needs more than 120 kB; its name then stands under `left_out`.

A file is in the safetensors format. Its metadata has the version of `onnx` and, under `cases`, a list in JSON of
[name, inputs, outputs, absolute tolerance]. Of case 7, `7.model` are the bytes of the model, `7.in.0` and `7.out.0` the
bytes of its first input and output; `7.in` and `7.out` in the list say their types and shapes.
"""
import itertools, json, pathlib, struct, warnings
warnings.filterwarnings("ignore")
import ml_dtypes, numpy as np, onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests
from onnx.reference import ReferenceEvaluator

SCOPE = """Conv ConvTranspose DeformConv ConvInteger QLinearConv MaxPool AveragePool GlobalAveragePool GlobalMaxPool LpPool
MaxUnpool Resize Upsample BatchNormalization InstanceNormalization GroupNormalization LRN Gemm Softmax LogSoftmax Concat Pad
Clip Flatten Col2Im Relu LeakyRelu PRelu Elu Selu Celu ThresholdedRelu HardSigmoid HardSwish Sigmoid Softplus Softsign Mish
Gelu Swish Dropout GridSample AffineGrid DepthToSpace SpaceToDepth LpNormalization
ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare ArgMax
ArgMin CumSum Gather GatherElements GatherND ScatterElements ScatterND Scatter Trilu If Cast CastLike Where Equal Less Greater
LessOrEqual GreaterOrEqual And Or Xor Not IsInf IsNaN MeanVarianceNormalization RMSNormalization LayerNormalization""".split()
LIMIT = 120_000

# Elements that are read; of the others, four or eight bits long or texts, a few operators of ONNX know something.
KINDS = {np.dtype(kind) for kind in "? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split()} | {np.dtype(ml_dtypes.bfloat16)}

# Sums and extremes of what several indices put to one place.
REDUCED = ("scatternd_add", "scatternd_multiply", "scatternd_max", "scatternd_min", "scatter_elements_with_reduction",
           "scatter_elements_with_duplicate")
HERE = pathlib.Path(__file__).parent


def array(x):
    return numpy_helper.to_array(x) if isinstance(x, onnx.TensorProto) else np.asarray(x)


def node_cases():
    for case in load_model_tests(kind="node"):
        ops = {node.op_type for node in case.model.graph.node}
        # Training-mode dropout is defined by NumPy's generator.
        if len(ops) == 1 and ops <= set(SCOPE) and not case.name.startswith("test_training_dropout"):
            edges = [*case.model.graph.input, *case.model.graph.output]
            if any(part in case.name for part in REDUCED) or not all(e.type.HasField("tensor_type") for e in edges):
                continue
            for inputs, outputs in case.data_sets:
                if not all(array(x).dtype in KINDS for x in [*inputs, *outputs]):
                    continue
                yield case.name, case.model, inputs, outputs, 1e-7


def further_cases():
    """What the project's own tests leave out: its reference implementation answers."""
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32)
    zeros = x.copy()
    zeros[:, 1] = 0
    for name, op, x, attributes, more in [
        # The reference adds up x itself where p is 1.
        ("l1_of_zeros", "LpNormalization", np.abs(zeros), {"p": 1, "axis": -1}, []),
        ("l2_of_zeros", "LpNormalization", zeros, {"p": 2, "axis": 2}, []),
        ("mean_of_planes", "ReduceMean", x, {"keepdims": 1}, [2, 3]),
        ("mean_of_planes_flat", "ReduceMean", x, {"keepdims": 0}, [-1, -2]),
        ("mean_of_volumes", "ReduceMean", x[None], {"keepdims": 1}, [2, 3, 4]),
    ]:
        node = onnx.helper.make_node(op, ["x", "axes"] if more else ["x"], ["y"], **attributes)
        real = lambda name, rank: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None] * rank)
        axes = [numpy_helper.from_array(np.array(more, np.int64), "axes")] if more else []
        rank = 2 if name.endswith("flat") else x.ndim
        graph = onnx.helper.make_graph([node], name, [real("x", x.ndim)], [real("y", rank)], axes)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)])
        y = ReferenceEvaluator(model).run(None, {"x": x})
        yield f"further_{name}", model, [x], y, 1e-6


def converted_cases():
    root = pathlib.Path(onnx.__file__).parent / "backend/test/data"
    for suite in ("pytorch-converted", "pytorch-operator"):
        for folder in sorted((root / suite).iterdir()):
            model = onnx.load(folder / "model.onnx")
            held = {tensor.name for tensor in model.graph.initializer}
            inputs = [i.name for i in model.graph.input if i.name not in held]
            for data in sorted(folder.glob("test_data_set_*")):
                load = lambda path: onnx.TensorProto.FromString(path.read_bytes())
                yield (folder.name, model, [load(data / f"input_{i}.pb") for i in range(len(inputs))],
                       [load(data / f"output_{i}.pb") for i in range(len(model.graph.output))], 1e-5)


def write(name, cases):
    listed, left_out, blobs = [], [], []
    for case, model, inputs, outputs, tolerance in cases:
        inputs, outputs = [array(x) for x in inputs], [array(y) for y in outputs]
        model = model.SerializeToString()
        size = len(model) + sum(x.nbytes for x in inputs + outputs)
        if size > LIMIT:
            left_out.append(case)
            continue
        about = lambda arrays: [[np.lib.format.dtype_to_descr(x.dtype), list(x.shape)] for x in arrays]
        at = len(listed)
        listed.append([case, about(inputs), about(outputs), tolerance])
        blobs.append((f"{at}.model", model))
        blobs += [(f"{at}.in.{i}", x.tobytes()) for i, x in enumerate(inputs)]
        blobs += [(f"{at}.out.{i}", y.tobytes()) for i, y in enumerate(outputs)]
    header, offset = {}, 0
    for key, blob in blobs:
        header[key] = {"dtype": "U8", "shape": [len(blob)], "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
    header["__metadata__"] = {"onnx": onnx.__version__, "cases": json.dumps(listed), "left_out": json.dumps(left_out)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path = HERE / f"{name}.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blob for _, blob in blobs))
    print(f"{path.name}: {len(listed)} cases, {path.stat().st_size} bytes; left out: {', '.join(left_out) or 'none'}")


write("node", itertools.chain(node_cases(), further_cases()))
write("converted", converted_cases())
