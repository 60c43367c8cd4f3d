"""The typed form of one point of the grid (config floor; no torch).

The dataclasses below are the whole vocabulary of the configuration: a key that is not a field here does not exist.
A field that `mark_fact` marks belongs to the files of conf/: a command chooses a file, and gives every other field.
They are values, never changed once built; frozen dataclasses cannot serve, since Hydra composes onto them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from senet_repro.config.ranges import above_to, between, from_below, from_to, list_of

# The most that a number of pixels on a side can be; nothing in the paper is larger than 352.
MOST_PX = 4096
# The widest stage of the paper's networks has so many channels; a greater ratio changes nothing any more.
MOST_R = 2048
# NumPy's random generators take no larger seed.
MOST_SEED = 2**32 - 1

SQUEEZES = ("avg", "max", "none")
EXCITATIONS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "ReLU"}
"""The values of the axis, and what torch.nn calls each: the last non-linearity of an SE block."""
PLACEMENTS = ("standard", "pre", "post", "identity", "conv3x3")
STAGE_WORDS = ("all", "all_but_last", "none")
SE_FCS = ("linear", "conv")
MODEL_OPTIONS = {
    "stride_on": ("conv1x1", "conv3x3"),  # which convolution of a bottleneck strides
    "stem_pool": ("unpadded", "padded"),  # ResNets: the stem's maximum pooling
    "stem": ("unpadded", "slim"),  # Inception-ResNet-v2: its third convolution
    # Pre-activation ResNet-110: what the first BN and ReLU feed, and the shortcut where the shape changes.
    "first_activation": ("both_paths", "branch_only"),
    "shortcut": ("padded", "projected"),
    "se_on": ("branch", "mix"),  # Shake-Shake: a standard block on each branch, or one after both
}
"""The options that some networks have beside SE, and the values of each."""
SCHEDULES = ("step", "cosine", "plateau")
WEIGHT_SOURCES = ("timm", "torchvision")
RUN_SOURCE = "run"
FIRST_WEIGHTS_SOURCES = (*WEIGHT_SOURCES, RUN_SOURCE)
"""Where first weights come from: the libraries whose names the tensors of a file bear, or a run of ours."""
DEFAULT_TASK = "classification"
DETECTION = "detection"
"""The task whose settings are the part `detection`."""
ACCELERATORS = ("auto", "cpu", "gpu")
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")

DATA_KINDS = ("memory", "folders", "boxes", "drawn")
DECODERS = ("cpu", "gpu")
WARMUP_SHAPES = ("flat", "linear")
BATCH_NORMS = ("frozen", "trained")
RESIZED_SIDES = ("short", "both")

# The name under which a field's metadata hold the mark of a fact.
FACT = "fact"


def mark_fact(instead: str = "") -> dict[str, str]:
    """Return the mark of a field that the files of a group state, and no command line.

    `instead` is the setting that a person may have meant; empty where there is none.
    """
    return {FACT: instead}


@dataclass(kw_only=True)
class SE:
    """How an SE block is written down; both choices are equal in what they can compute."""

    fc: str = "linear"  # linear | conv: the two FCs as linear layers or as 1x1 convolutions
    bias: bool = False  # section 6 removes the biases; the released models have them


@dataclass(kw_only=True)
class Model:
    """A network and what it offers."""

    name: str = field(metadata=mark_fact())
    # The paper's stage numbers, conv2_x being 2.
    stages: list[int] = field(metadata=mark_fact("stages=[2,3]"))
    placements: list[str] = field(metadata=mark_fact("placement=standard"))
    # Side of the square it is trained on, and its size counted at, in the paper.
    input_px: int = field(metadata=mark_fact("data.train_px and data.eval_px"))
    # Shorter side of an image before its centre crop; none: no resizing.
    resize_px: int | None = field(default=None, metadata=mark_fact("data.eval_resize_px"))
    # Of its training in Table 2.
    weight_decay: float = field(default=1e-4, metadata=mark_fact("recipe.weight_decay"))
    # Those of MODEL_OPTIONS that the network has.
    options: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class FoundSet:
    """The pictures that lie where `data.root` points."""

    fingerprint: str  # of them all, 64 hexadecimal digits: equal for equal sets, wherever they lie
    classes: int
    train_images: int
    eval_images: int
    # How the pictures were encoded anew, such as JPEG; none: not at all, as far as can be told.
    encoding: str | None = None


@dataclass(kw_only=True)
class Data:
    """An image set and its augmentation."""

    name: str = field(metadata=mark_fact())  # of its file in conf/data/
    # Which of the training parts that a set comes with, such as challenge or standard; none: there is one.
    subset: str | None = None
    # memory: whole, as one tensor | folders: image files in class folders | boxes: image files, and COCO's lists of
    # the objects in them | drawn: pictures of objects, drawn as they are asked for
    kind: str = field(metadata=mark_fact())
    title: str = field(metadata=mark_fact())  # its name as readers write it
    train_images: int = field(metadata=mark_fact())  # of the whole set
    eval_images: int = field(metadata=mark_fact())
    # Outputs of the network; a folder may have fewer.
    classes: int = field(metadata=from_to(2, 1_000_000))
    # Side that the pictures of a set in memory are reduced to; none: the set has one size.
    px: int | None = field(default=None, metadata=from_to(1, MOST_PX))
    # Sides of the square training and evaluation crops.
    train_px: int = field(metadata=from_to(1, MOST_PX))
    eval_px: int = field(metadata=from_to(1, MOST_PX))
    # Shorter side of an evaluation image before its centre crop; none: no resizing.
    eval_resize_px: int | None = field(default=None, metadata=from_to(1, MOST_PX))
    # Pictures of objects: the most that the longer side may have. They are scaled and not cut, and `train_px` and
    # `eval_px` are their shorter sides, unless the longer one came to more than this.
    most_px: int | None = field(default=None, metadata=from_to(1, MOST_PX))
    # Which sides have that length: short, which keeps the aspect | both, which makes a square.
    eval_resize_sides: str = "short"
    # Per RGB channel, on the 0..255 scale; a standard deviation below 1 belongs to the 0..1 scale.
    mean: list[float] = field(metadata=list_of(3, 0, 255))
    std: list[float] = field(metadata=list_of(3, 1, 255))
    flip: bool  # horizontal flip with probability 1/2
    # Zero padding on each side before the random crop.
    pad_px: int = field(default=0, metadata=from_to(0, MOST_PX))
    # Random resized crop: least and greatest share of the area, and least and greatest width / height.
    crop_area: list[float] | None = field(default=None, metadata=list_of(2, 0.0001, 1, rising=True))
    crop_aspect: list[float] | None = field(default=None, metadata=list_of(2, 0.1, 10, rising=True))
    root: str | None = None  # folder of the set; digits need none
    # What lies there, filled in as the run is composed; none: nothing, or no folder.
    found: FoundSet | None = field(default=None, metadata=mark_fact("data.root=DIR"))
    # What decodes pictures in folders; gpu: nvJPEG, whose pixels are others.
    decode: str = "cpu"
    download: bool = False  # let torchvision fetch the set into root
    verify: bool = False  # decode every image before the first epoch, and name all that cannot be
    skip_corrupt: bool = False  # leave those out, and record them; verifies too
    # What it is, said under a table whose own data it stands in for.
    proxy: str | None = field(default=None, metadata=mark_fact())
    # A further line under each table.
    note: str | None = field(default=None, metadata=mark_fact())


@dataclass(kw_only=True)
class Schedule:
    """Learning rate over the whole training; step drops and the warm-up scale with recipe.epochs."""

    kind: str  # step | cosine | plateau
    drops: list[int] = field(default_factory=list)  # step: where, in units of `length`
    # step: the whole training, in the unit of `drops`.
    length: int = field(default=1, metadata=from_to(1, 10**9))
    # step: how long the training warms up, in the unit of `drops`; 0: not at all.
    warmup: int = field(default=0, metadata=from_to(0, 10**9))
    # step: what the warm-up multiplies the learning rate by, all along (flat) or at its first step (linear: it then
    # rises to the whole of it).
    warmup_factor: float = field(default=0.1, metadata=between(0, 1))
    warmup_shape: str = "flat"
    # step, plateau: what each drop multiplies the learning rate by.
    factor: float = field(default=0.1, metadata=between(0, 1))
    # plateau: epochs without a lower validation loss before a drop.
    patience_epochs: int = field(default=10, metadata=from_to(0, 100_000))


@dataclass(kw_only=True)
class Recipe:
    """How a network is trained."""

    name: str = field(metadata=mark_fact())
    epochs: int = field(metadata=from_to(1, 100_000))
    # Optimiser steps of an epoch at most; none: as many as the set has whole batches. Which pictures an epoch then
    # leaves out is drawn anew in each.
    epoch_steps: int | None = field(default=None, metadata=from_to(1, 10**9))
    # Images per optimiser step over all devices; lr belongs to it.
    batch_size: int = field(metadata=from_to(1, 1_000_000))
    lr: float = field(metadata=above_to(0, 1000))
    schedule: Schedule
    momentum: float = field(default=0.9, metadata=from_below(0, 1))
    nesterov: bool = False
    weight_decay: float = field(default=0.0, metadata=from_to(0, 10))
    label_smoothing: float = field(default=0.0, metadata=from_below(0, 1))
    # Side of the square cut out of each training image; 0: none. Rows of one table differ in it.
    cutout_px: int = field(default=0, metadata=from_to(0, MOST_PX))
    # A further line under each table.
    note: str | None = field(default=None, metadata=mark_fact())


@dataclass(kw_only=True)
class Detection:
    """Faster R-CNN over a network (section 5.3); it counts for task=detection alone.

    The defaults are those of Detectron's networks with a pyramid of features.
    """

    # The stem and the stages up to this one keep their first weights, SE blocks included; 0: everything is trained.
    freeze_at: int = field(default=2, metadata=from_to(0, 100))
    # frozen: each batch normalisation keeps its statistics, scale and shift | trained: as in classification
    batch_norm: str = "frozen"
    # Stages whose maps the pyramid is built of, in the paper's numbers; none: all of the network.
    pyramid_stages: list[int] | None = None
    # Channels of each level of the pyramid, and width of the two layers of the box head.
    pyramid_channels: int = field(default=256, metadata=from_to(1, 65_536))
    head_channels: int = field(default=1024, metadata=from_to(1, 65_536))
    # Side of the anchors of each level, the finest one first; the last level is a subsampled map above the stages'.
    anchor_px: list[int] = field(
        default_factory=lambda: [32, 64, 128, 256, 512], metadata=from_to(1, MOST_PX)
    )
    # Proposals of an image that are kept in training and in evaluation: of each level before non-maximum suppression,
    # and in all after it.
    train_proposals: int = field(default=2000, metadata=from_to(1, 100_000))
    eval_proposals: int = field(default=1000, metadata=from_to(1, 100_000))
    # Regions of an image that the box head is trained on.
    sampled_regions: int = field(default=512, metadata=from_to(1, 100_000))
    # Where the smooth L1 loss of the box head turns from a square to a line: at 1 in Detectron, at 0.111 (1/9) in
    # torchvision. Of the proposals it is 1/9 in both.
    box_beta: float = field(default=1.0, metadata=above_to(0, 1000))


@dataclass(kw_only=True)
class Trainer:
    """Where and how fast a run is trained; only the precision belongs to its identity."""

    accelerator: str = "auto"  # auto | cpu | gpu
    devices: int = field(default=1, metadata=from_to(1, 1024))  # of each node
    nodes: int = field(default=1, metadata=from_to(1, 10_000))
    sync_bn: bool = False  # batch-norm statistics of all devices together; GPUs only
    # Parts in which a device takes its share of a batch; batch-norm statistics are of a part.
    accumulate: int = field(default=1, metadata=from_to(1, 1_000_000))
    precision: str = "32-true"  # Lightning's names: 32-true | bf16-mixed | 16-mixed
    channels_last: bool = True
    compile: Any = False  # auto | true | false
    # The whole training step as one CUDA graph: auto (where a GPU trains what a graph can hold) | true | false.
    graph: Any = False
    # GPUs: round float32 products to TF32; and torch's deterministic algorithms alone.
    tf32: bool = False
    deterministic: bool = False
    # Decoding processes per device; none: one per core of its share. Sets in memory need none at all.
    num_workers: int | None = field(default=None, metadata=from_to(0, 1024))
    # Seconds that a killed run may lose, rounded up to whole epochs; 0: a checkpoint at the end of every epoch.
    checkpoint_s: int = field(default=30, metadata=from_to(0, 1_000_000))
    # CPU threads per process; none: torch's choice, one per core.
    threads: int | None = field(default=None, metadata=from_to(1, 1024))


@dataclass(kw_only=True)
class Logger:
    """The mirror of a run; records never depend on it."""

    # Of its file in conf/logger/.
    name: str = field(default="none", metadata=mark_fact())
    project: str = "senet_repro"


@dataclass(kw_only=True)
class Protocol:
    """A name for the data, network and recipe of a run together."""

    name: str = field(metadata=mark_fact())


@dataclass(kw_only=True)
class Row:
    """One row of a table of the paper: a point of the grid and its published figures."""

    # Values of the axes, and a model; none: only cited, and not offered here.
    axes: dict[str, Any] | None = field(default_factory=dict)
    baseline: str | None = None  # the row that differences are taken to; none: the table's
    figures: dict[str, float] = field(default_factory=dict)  # published, by the name of a metric
    cited: dict[str, float] = field(default_factory=dict)  # of the network's own paper, likewise
    # Of weights that are evaluated as they are: model, size_px and resize_px; none: by `axes`, as they were trained.
    rescored: dict[str, Any] | None = None
    params_m: float | None = None
    gflops: float | None = None  # multiply-adds of one image, in 10^9
    size_note: str | None = None  # why the published size is not the one counted

    @property
    def network(self) -> str | None:
        """Return the network that the row names; None where it is of any network, or only cited."""
        return (self.axes or {}).get("model")

    def published(self, figure: str) -> float | None:
        """Return the published figure of a metric, or of a size (params_m, gflops); None where there is none."""
        if figure in ("params_m", "gflops"):
            size: float | None = getattr(self, figure)
            return size
        return self.figures.get(figure)


@dataclass(kw_only=True)
class Claim:
    """A sentence of the paper about rows of a table, as something that records can bear out or not."""

    section: str = ""  # of the paper; empty for a claim of your own
    says: str  # in few words of our own
    # Lower: the first row's figure is better than the second's, and so on | equivalent | cost | rivals: it is no worse
    # than that of a costlier row | below: it is better than the published one of a row that is only cited.
    kind: str
    rows: list[str]
    # A published figure of Row. Cost: a size; all others: a metric, or none for the first of the task.
    figure: str | None = None
    # Lower: the least gain that matters, in points; none: a third of the published one.
    smallest_effect: float | None = None
    # Equivalent: the least difference that matters, as a share of what SE gains on the same data ...
    margin_share: float | None = None
    # ... which is how much better the first of these two rows is than the second.
    gain: list[str] = field(default_factory=list)
    # Equivalent: the same in points, by the data set; it takes precedence there. Rivals: how much worse the first row
    # may be; 0: it is better.
    margins: dict[str, float] = field(default_factory=dict)
    # Cost: by how much the first row's figure exceeds the second's.
    increase_pct: float | None = None
    # Cost: by how many percent points the increase may miss that.
    margin: float | None = None
    # Rivals: the share of the second row's multiply-adds that the first has at most.
    most_share: float | None = None


@dataclass(kw_only=True)
class PaperTable:
    """A table of the paper, or one of your own."""

    name: str
    number: int | None = None  # none: figures from running text, or a table of your own
    section: str = ""  # of the paper; empty for a table of your own
    title: str
    task: str = "classification"  # what its rows are trained for, and so the metrics it prints
    rows: dict[str, Row]
    # The row that differences are taken to; none: each row names its own.
    baseline: str | None = None
    # Networks that stand in for those of rows, on sets that stand in for the paper's: {resnet11: resnet50}.
    stand_ins: dict[str, str] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    # Of other tables, for claims that compare with them.
    beside: dict[str, Row] = field(default_factory=dict)
    note: str | None = None

    def baseline_of(self, row: str) -> str | None:
        """The row that a row's differences are taken to; none for a baseline, and where there is none."""
        baseline = self.rows[row].baseline or self.baseline
        if baseline == row:
            return None
        return baseline


@dataclass(kw_only=True)
class Init:
    """Where the first weights come from; none: drawn from the seed."""

    # A file of tensors by name: .safetensors, or what torch.save wrote; or the folder of a run that is finished.
    weights: str | None = None
    # Whose they are: timm | torchvision | run; of a folder it need not be said.
    source: str | None = None
    sha256: str | None = None  # of the file, filled in as the run is composed


@dataclass(kw_only=True)
class Run:
    """One point of the grid, a seed, and where its results go."""

    r: Any = 16  # int | none
    squeeze: str = "avg"
    excitation: str = "sigmoid"
    stages: Any = "all"  # a word of STAGE_WORDS or a list of the paper's stage numbers
    placement: str = "standard"
    se: SE = field(default_factory=SE)
    seed: int = field(default=0, metadata=from_to(0, MOST_SEED))
    results_dir: str = "runs"
    dry: bool = False  # say what would be trained, and train nothing
    task: str = DEFAULT_TASK  # what is trained and measured: a folder of senet_repro/tasks
    protocol: Protocol
    model: Model
    data: Data
    recipe: Recipe
    init: Init = field(default_factory=Init)
    detection: Detection = field(default_factory=Detection)
    trainer: Trainer = field(default_factory=Trainer)
    logger: Logger = field(default_factory=Logger)
    # Whole: every key below it belongs to the table's file.
    table: PaperTable | None = field(default=None, metadata=mark_fact())
