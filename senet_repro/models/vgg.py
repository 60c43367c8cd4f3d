"""VGG-16 with batch normalisation (section 5.1, Table 2; models floor)."""

from __future__ import annotations

from torch import Tensor, nn

from senet_repro.models.layers import Classifier, conv_bn, named
from senet_repro.models.registry import register
from senet_repro.models.se import SEPlan

STAGES = (1, 2, 3, 4, 5)
CHANNELS = {1: (64, 64), 2: (128, 128), 3: (256, 256, 256), 4: (512, 512, 512), 5: (512, 512, 512)}


@register(stages=STAGES, placements=("standard",))
def vgg16(plan: SEPlan, classes: int) -> Classifier:
    """Return VGG-16: 138.4 M parameters, 15.47 G multiply-adds (15.47 in Table 2).

    Batch normalisation follows each of the 13 convolutions, which keep their biases. An SE block follows each ReLU
    of theirs (section 5.1). Stage s holds the convolutions conv_s and ends with their maximum pooling.
    """
    stages = nn.ModuleDict()
    in_channels = 3
    for stage, row in CHANNELS.items():
        layers: list[nn.Module] = []
        for channels in row:
            convolution = conv_bn(in_channels, channels, 3, bias=True)
            layers.append(
                named(conv_bn=convolution, standard=plan.gate("standard", stage, channels))
            )
            in_channels = channels
        stages[str(stage)] = nn.Sequential(*layers, nn.MaxPool2d(2))
    return Classifier(nn.Identity(), stages, VggHead(classes))


class VggHead(nn.Module):
    """Returns logits (N, classes) of feature maps (N, 512, H, W), averaged to 7x7: three linear layers."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(7)
        self.fc1 = nn.Linear(512 * 7 * 7, 4096)
        self.fc2 = nn.Linear(4096, 4096)
        self.fc3 = nn.Linear(4096, classes)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, classes) for x of (N, 512, H, W)."""
        x = self.pool(x).flatten(1)
        for fc in (self.fc1, self.fc2):
            x = self.dropout(self.relu(fc(x)))
        logits: Tensor = self.fc3(x)
        return logits
