import torchvision.models.segmentation as tv
from torch import nn
from torchvision.models.segmentation._utils import _SimpleSegmentationModel as SegmentationModel
from torchvision.models.segmentation.fcn import FCNHead


class Segmentation(SegmentationModel):
    """torchvision's model, which gives a tensor instead of a dictionary; only in training has it the auxiliary head."""

    def forward(self, x):
        self.aux_classifier.size, maps = x.shape[-2:], self.backbone(x)
        logits = resized(self.classifier(maps["out"]), x.shape[-2:])
        return (logits, self.aux_classifier(maps["aux"])) if self.training else logits


class AuxiliaryHead(FCNHead):
    """The head with the resizing that torchvision does behind it."""

    def forward(self, x):
        return resized(super().forward(x), self.size)


def resized(x, size):
    return nn.functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


def make(name, classes):
    model = getattr(tv, name)(weights=None, weights_backbone=None, num_classes=classes, aux_loss=True)
    model.__class__, model.aux_classifier.__class__ = Segmentation, AuxiliaryHead
    return model
