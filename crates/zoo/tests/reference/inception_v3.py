"""torchvision's Inception v3 with an auxiliary head that images of any size can have."""
from torch import nn
from torchvision.models import inception


class Head(inception.InceptionAux):
    """As torchvision's where the map has 17×17 pixels. Where it has less, torchvision's has no output; this one makes
    5×5 means of what there is."""

    def forward(self, x):
        if min(x.shape[2:]) >= 17:
            return super().forward(x)
        x = self.conv1(self.conv0(nn.functional.adaptive_avg_pool2d(x, 5)))
        return self.fc(x.mean((2, 3)))


def make(classes):
    blocks = [getattr(inception, name) for name in ("BasicConv2d", *(f"Inception{letter}" for letter in "ABCDE"))]
    return inception.Inception3(classes, inception_blocks=[*blocks, Head], init_weights=False)
