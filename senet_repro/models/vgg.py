"""VGG-16 with batch normalisation (section 5.1, Table 2; models floor)."""

from __future__ import annotations

from torch import Tensor, nn

from senet_repro.models.layers import Classifier, conv_bn, named
from senet_repro.models.registry import register_network
from senet_repro.models.se import Gate, SEPlan

CHANNELS = {
    1: (64, 64),
    2: (128, 128),
    3: (256, 256, 256),
    4: (512, 512, 512),
    5: (512, 512, 512),
}
"""Channels of the convolutions of each stage."""

# Side of the maps that the linear layers see: a 224 px image halved five times.
HEAD_PX = 7


@register_network
def vgg16(plan: SEPlan, classes: int) -> Classifier:
    """Return VGG-16: 138.4 M parameters, 15.47 G multiply-adds (15.47 in Table 2).

    Batch normalisation follows each of the 13 convolutions, which keep their biases. An SE block follows each ReLU
    of theirs (section 5.1). Stage s holds the convolutions conv_s and ends with their maximum pooling.
    """
    stages = nn.ModuleDict()
    in_channels = 3
    for stage, row in CHANNELS.items():
        units = []
        for channels in row:
            units.append(gated_conv(plan.at_stage(stage), in_channels, channels))
            in_channels = channels
        stages[str(stage)] = nn.Sequential(*units, nn.MaxPool2d(2))
    return Classifier(nn.Identity(), stages, VggHead(classes))


def gated_conv(gate: Gate, in_channels: int, out_channels: int) -> nn.Sequential:
    """Return a 3x3 convolution with bias, BN, ReLU and the standard site."""
    return named(
        conv_bn=conv_bn(in_channels, out_channels, 3, bias=True),
        standard=gate("standard", out_channels),
    )


class VggHead(nn.Module):
    """Returns logits (N, classes) of feature maps (N, 512, H, W), averaged to 7x7: three linear layers."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(HEAD_PX)
        self.fc1 = nn.Linear(512 * HEAD_PX * HEAD_PX, 4096)
        self.fc2 = nn.Linear(4096, 4096)
        self.fc3 = nn.Linear(4096, classes)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, classes) for x of (N, 512, H, W)."""
        features = self.pool(x).flatten(1)
        hidden1 = self.dropout(self.relu(self.fc1(features)))
        hidden2 = self.dropout(self.relu(self.fc2(hidden1)))
        logits: Tensor = self.fc3(hidden2)
        return logits
