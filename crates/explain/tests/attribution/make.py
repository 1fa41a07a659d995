#!/usr/bin/env python3
"""Writes maps.safetensors: two small networks with random weights, an image, and what Captum, pytorch-grad-cam and
PyTorch say of it.

    python3 -m venv venv
    venv/bin/pip install torch captum grad-cam safetensors
    venv/bin/python make.py

Tensors are named NETWORK.WHAT; those with `weights.` before WHAT are parameters and statistics by their names. Everything
is computed in double precision and rounded to 32 bits.

    saliency, guided, deconvnet   of the logit of CLASS, [3, h, w] (Captum)
    neuron.guided, .deconvnet     of the strongest place of map CHANNEL of the layer in the middle (Captum)
    neuron.at                     row and column of that
    occlusion                     mean drop of the probability of CLASS, [h, w] (Captum)
    cam.raw                       the sum of weighted maps (Captum's LayerGradCam)
    cam.bilinear                  what is above 0 of it over the image (Captum's LayerAttribution)
    cam.scaled                    the same, scaled to 0 to 1 (pytorch-grad-cam)
    field                         mean over two images of |gradient|, summed over colours, of the neuron in the middle
    made                          what the layer in the middle makes of the image
"""
import pathlib

import torch
from captum import attr
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.torch import save_file

from networks import Plain, Residual

CLASSES, CLASS, CHANNEL, SIZE = 5, 3, 4, (20, 24)
WINDOW, STRIDE, BASELINE = (7, 6), (4, 5), (0.3, -0.2, 0.1)

# The network, its last feature map, and a layer in its middle, as they are called here.
NETWORKS = {
    "plain": (Plain, "relu_2", "relu_1"),
    "residual": (Residual, "layer2.relu_1", "layer1.relu_1"),
}


def draw(model, random):
    """Weights that keep activations in size, and statistics other than those of the start."""
    for name, value in model.state_dict().items():
        if value.dim() > 1:
            value.normal_(0, (2 / value[0].numel()) ** 0.5, generator=random)
        elif name.endswith("running_var") or ("bn" in name or name.endswith("1.weight")) and name.endswith("weight"):
            value.uniform_(0.6, 1.4, generator=random)
        elif value.is_floating_point():
            value.normal_(0, 0.2, generator=random)
    # Rounded first, so that both sides have the same weights.
    return model.float().double().eval()


def made_by(model, layer, image):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    model(image)
    hook.remove()
    return kept[0]


def field(model, layer, images):
    total = 0
    for image in images:
        image = image[None].clone().requires_grad_()
        maps = made_by(model, layer, image)
        row, column = (extent // 2 for extent in maps.shape[2:])
        (gradient,) = torch.autograd.grad(maps[0, :, row, column].sum(), image)
        total = total + gradient[0].abs().sum(0)
    return total / len(images)


def maps(model, last, middle, images):
    image = images[:1]
    made = made_by(model, middle, image).detach()
    chosen = made[0, CHANNEL]
    row, column = divmod(chosen.argmax().item(), chosen.shape[1])
    neuron = (CHANNEL, row, column)
    saliency = attr.Saliency(model).attribute(image, CLASS, abs=False)
    occlusion = attr.Occlusion(lambda x: model(x).softmax(1)).attribute(
        image,
        (3, *WINDOW),
        (3, *STRIDE),
        torch.tensor(BASELINE, dtype=torch.float64)[:, None, None].expand_as(image),
        CLASS,
    )
    cam = attr.LayerGradCam(model, last)
    raw = cam.attribute(image, CLASS)
    above = cam.attribute(image, CLASS, relu_attributions=True)
    scaled = GradCAM(model, [last])(image, [ClassifierOutputTarget(CLASS)])
    return {
        "saliency": saliency[0],
        "guided": attr.GuidedBackprop(model).attribute(image, CLASS)[0],
        "deconvnet": attr.Deconvolution(model).attribute(image, CLASS)[0],
        "neuron.guided": attr.NeuronGuidedBackprop(model, middle).attribute(image, neuron)[0],
        "neuron.deconvnet": attr.NeuronDeconvolution(model, middle).attribute(image, neuron)[0],
        "neuron.at": torch.tensor([row, column]),
        "occlusion": occlusion[0, 0],
        "cam.raw": raw[0, 0],
        "cam.bilinear": attr.LayerAttribution.interpolate(above, SIZE, "bilinear")[0, 0],
        "cam.scaled": torch.from_numpy(scaled[0]),
        "field": field(model, middle, images),
        "made": made[0],
    }


if __name__ == "__main__":
    random = torch.Generator().manual_seed(2014)
    tensors = {}
    for name, (network, last, middle) in NETWORKS.items():
        model = draw(network(CLASSES), random)
        images = torch.randn(2, 3, *SIZE, generator=random).double()
        found = maps(model, model.get_submodule(last), model.get_submodule(middle), images)
        found |= {f"weights.{key}": value for key, value in model.state_dict().items() if value.is_floating_point()}
        found["images"] = images
        for key, value in found.items():
            tensors[f"{name}.{key}"] = value.detach().float().contiguous()
        print(name, {key: f"{found[key].norm():.3f}" for key in ("saliency", "guided", "deconvnet", "occlusion", "cam.raw")})
    save_file(tensors, pathlib.Path(__file__).with_name("maps.safetensors"))
