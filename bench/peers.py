#!/usr/bin/env python3
"""One task of a peer, in a process of its own: what memory.py and startup.py run with the peers' Python.

    peers.py models NAME FOLDER             FOLDER/NAME.onnx, and NAME.safetensors of what torchvision has
    peers.py infer FILE.onnx THREADS RUNS   ONNX Runtime; prints seconds: imports, session, first run
    peers.py train NAME BATCH THREADS       PyTorch, channels last: three steps of SGD with momentum
    peers.py imports onnxruntime|torch      nothing but the imports
"""
import os
import sys
import time


def networks():
    """The networks by their names in `convolve models`: a builder, and the side of an image."""
    import timm
    import torchvision.models as tv

    def of_timm(name):
        return lambda: timm.create_model(name)

    def plain(build):
        return lambda: build(aux_logits=False, init_weights=False)

    return {
        "resnet18": (tv.resnet18, 224),
        "resnet50": (tv.resnet50, 224),
        "vgg16": (tv.vgg16, 224),
        "alexnet": (tv.alexnet, 224),
        "mobilenet_v1": (of_timm("mobilenetv1_100"), 224),
        "mobilenet_v2": (tv.mobilenet_v2, 224),
        "shufflenet_v2": (tv.shufflenet_v2_x1_0, 224),
        "googlenet": (plain(tv.googlenet), 224),
        "inception_v3": (plain(tv.inception_v3), 299),
        "inception_v4": (of_timm("inception_v4"), 299),
        "inception_resnet_v2": (of_timm("inception_resnet_v2"), 299),
        "densenet121": (tv.densenet121, 224),
    }


def models(name, folder):
    import safetensors.torch
    import torch

    build, size = networks()[name]
    model = build().eval()
    image = torch.randn(1, 3, size, size)
    torch.onnx.export(model, image, f"{folder}/{name}.onnx", dynamo=False, opset_version=17)
    weights = {key: value for key, value in model.state_dict().items() if value.dtype == torch.float32}
    safetensors.torch.save_file(weights, f"{folder}/{name}.safetensors")


def infer(path, threads, runs):
    start = time.perf_counter()
    import numpy
    import onnxruntime

    imported = time.perf_counter()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    made = time.perf_counter()
    given = session.get_inputs()[0]
    feed = {given.name: numpy.ones(given.shape, numpy.float32)}
    session.run(None, feed)
    ran = time.perf_counter()
    for _ in range(int(runs) - 1):
        session.run(None, feed)
    print(imported - start, made - imported, ran - made)


def train(name, batch, threads):
    import torch

    torch.set_num_threads(int(threads))
    build, size = networks()[name]
    model = build().train().to(memory_format=torch.channels_last)
    images = torch.randn(int(batch), 3, size, size).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 1000, (int(batch),))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for _ in range(3):
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimiser.step()


def imports(what):
    if what == "torch":
        networks()
    __import__(what)


if __name__ == "__main__":
    tasks = {"models": models, "infer": infer, "train": train, "imports": imports}
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    tasks[sys.argv[1]](*sys.argv[2:])
