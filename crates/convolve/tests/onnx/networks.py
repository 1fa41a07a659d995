#!/usr/bin/env python3
"""Networks of torchvision and timm, exported to ONNX by both of PyTorch's exporters and run by the convolve program.

    pip install torch torchvision timm onnx onnxscript
    networks.py [--convolve target/release/convolve] [--exporter both|dynamo|script] [--source both|torchvision|timm]
                [--only resnet18,mobilenet_v2] [--all]

Weights are random from a fixed seed, and so are the running statistics of batch normalisations: a network that
ignored one of them would be found out. An output may differ by a relative L2 of 1e-5 from PyTorch's in double precision.
In some networks such statistics make activations grow from layer to layer until rounding decides what comes out. Where
PyTorch's own outputs in 32 bits are off by more than 1e-5, the statistics become those of the images, each channel's
a little beside them; where that does not help either, the network is listed as `ill` and tells nothing.
Without --all, one network of each family is taken; with it, every network that is a CNN and small enough to export.
"""
import argparse, contextlib, copy, io, logging, os, pathlib, subprocess, sys, tempfile, time, warnings
warnings.filterwarnings("ignore"); logging.disable(logging.WARNING)
import numpy as np, torch

TORCHVISION = """alexnet convnext_tiny densenet121 efficientnet_b0 efficientnet_v2_s googlenet inception_v3 mnasnet1_0
mobilenet_v2 mobilenet_v3_large mobilenet_v3_small regnet_x_400mf regnet_y_400mf resnet18 resnet50 resnext50_32x4d
shufflenet_v2_x1_0 squeezenet1_0 squeezenet1_1 vgg11 vgg16_bn wide_resnet50_2 deeplabv3_mobilenet_v3_large
deeplabv3_resnet50 fcn_resnet50 lraspp_mobilenet_v3_large""".split()
TIMM = """resnet18 resnet26d resnet26t resnetv2_50 resnetblur50 seresnet50 ecaresnet50t gcresnet50t skresnet18 res2net50_26w_4s
resnest14d bat_resnext26ts cspresnet50 darknet53 dla34 densenet121 dpn68 hrnet_w18_small inception_v3 inception_v4
inception_resnet_v2 xception41 legacy_xception mobilenetv2_100 mobilenetv3_large_100 mobilenetv4_conv_small
efficientnet_b0 tf_efficientnet_b0 mixnet_s ghostnet_100 ghostnetv2_100 regnetx_002 regnety_002 regnetz_b16 repvgg_a0 rexnet_100
selecsls42b vovnet39a ese_vovnet19b_dw convnext_atto convnextv2_atto nf_regnet_b0 nf_resnet50 dm_nfnet_f0 lcnet_050 tinynet_e
hardcorenas_a fbnetc_100 mnasnet_small semnasnet_075 spnasnet_100 mobileone_s0 repghostnet_050 hgnet_tiny hgnetv2_b0 starnet_s1
inception_next_atto nasnetalarge pnasnet5large mambaout_femto rdnet_tiny fasternet_t0 tresnet_m gernet_s cs3darknet_s
edgenext_xx_small botnet26t_256 repvit_m0_9""".split()
NO_CNN = ("vit", "swin", "maxvit", "deit", "beit", "mixer", "former", "cait", "xcit", "tnt", "pit_", "mlp", "eva", "clip")

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--convolve", default="target/release/convolve")
ap.add_argument("--exporter", default="both", choices=["both", "dynamo", "script"])
ap.add_argument("--source", default="both", choices=["both", "torchvision", "timm"])
ap.add_argument("--only", default=""); ap.add_argument("--all", action="store_true")
ap.add_argument("--batch", type=int, default=2); ap.add_argument("--tolerance", type=float, default=1e-5)
ap.add_argument("--size", type=int, help="height and width of the images, instead of those the network is made for")
a = ap.parse_args()


def names():
    import torchvision, timm
    sources = {"torchvision": TORCHVISION, "timm": TIMM}
    if a.all:
        segmentation = torchvision.models.list_models(module=torchvision.models.segmentation)
        sources["torchvision"] = torchvision.models.list_models(module=torchvision.models) + segmentation
        sources["timm"] = timm.list_models()
    for source, list_ in sources.items():
        for name in list_:
            wanted = name in a.only.split(",") if a.only else not any(part in name for part in NO_CNN)
            if a.source in ("both", source) and wanted:
                yield source, name


def build(source, name):
    torch.manual_seed(0)
    if source == "timm":
        import timm
        model = timm.create_model(name)
        side = model.default_cfg["input_size"][1]
    else:
        import torchvision
        extra = {"aux_logits": False} if name in ("googlenet", "inception_v3") else {}
        if name.startswith(("deeplab", "fcn", "lraspp")):
            extra = {"weights_backbone": None}
        model = torchvision.models.get_model(name, weights=None, **extra)
        side = 299 if name == "inception_v3" else 224
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    side = a.size or side
    return model.eval(), torch.randn(a.batch, 3, side, side, generator=generator)


def outputs(model, x):
    """Of a network in both precisions, and how far those of 32 bits are off."""
    with torch.no_grad():
        found = [model(x), copy.deepcopy(model).double()(x.double())]
    rounded, exact = ([t.double().numpy() for t in (y.values() if isinstance(y, dict) else [y])] for y in found)
    return exact, max(distance(r, e) for r, e in zip(rounded, exact))


def distance(found, wanted):
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def settle(model, x):
    """Statistics of the images themselves, and a little beside them."""
    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm) and m.running_mean is not None]
    generator = torch.Generator().manual_seed(2)
    model.train()
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        model(x)
        for norm in norms:
            beside = torch.empty_like(norm.running_mean)
            norm.running_mean += norm.running_var.sqrt() * beside.normal_(0, 0.1, generator=generator)
            norm.running_var *= beside.uniform_(0.8, 1.25, generator=generator)
    model.eval()


def export(model, x, file, exporter):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        if exporter == "dynamo":
            torch.onnx.export(model, (x,), file, dynamo=True)
        else:
            torch.onnx.export(model, (x,), file, dynamo=False, opset_version=17, do_constant_folding=True)


done, bad, ill = 0, [], []
for source, name in names():
    try:
        model, x = build(source, name)
        y, own = outputs(model, x)
        if not own <= a.tolerance:
            settle(model, x)
            y, own = outputs(model, x)
    except Exception as error:
        print(f"{source:12} {name:32} not built: {' '.join(str(error).split())[:120]}", flush=True); continue
    for exporter in ("dynamo", "script") if a.exporter == "both" else (a.exporter,):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            try:
                export(model, x, str(folder / "model.onnx"), exporter)
            except Exception as error:
                print(f"{source:12} {name:32} {exporter:7} not exported: {' '.join(str(error).split())[:100]}", flush=True)
                continue
            np.save(folder / "x.npy", x.numpy())
            start = time.time()
            command = [a.convolve, "run", str(folder / "model.onnx"), "--input", str(folder / "x.npy"), "--output", str(folder / "out")]
            p = subprocess.run(command, capture_output=True, text=True)
            seconds = time.time() - start
            if p.returncode:
                result, fine = (p.stderr.strip().splitlines() or [f"exit {p.returncode}"])[-1].replace(str(folder), ""), False
            else:
                got = [np.load(folder / f"out/{i}.npy") for i in range(len(y))]
                shaped = [g.shape for g in got] == [w.shape for w in y]
                error = max(map(distance, got, y)) if shaped else np.inf
                fine, result = error <= a.tolerance, f"relative L2 {error:.1e}"
            verdict = "ok  " if fine else "FAIL"
            done += fine
            if not fine and not p.returncode and shaped and not own <= a.tolerance:
                ill.append(f"{name} ({exporter})")
                verdict, result = "ill ", f"{result}, PyTorch's own in 32 bits {own:.1e}"
            elif not fine:
                bad.append(f"{name} ({exporter})")
            print(f"{source:12} {name:32} {exporter:7} {verdict} {result}, {seconds:.1f} s", flush=True)
print(f"{done} of {done + len(bad)} runs agree with PyTorch" + (f"; not {', '.join(bad)}" if bad else ""))
if ill:
    print(f"{len(ill)} tell nothing: {', '.join(ill)}")
sys.exit(1 if bad else 0)
