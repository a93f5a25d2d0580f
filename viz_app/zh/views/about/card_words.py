"""What cards of checkpoints say, by what training and evaluation write into them."""

from __future__ import annotations

import re
from collections.abc import Sequence

Patterns = Sequence[tuple[str, str]]

_SIZES = ((r"(\d+) pixels", r"\1 像素"), (r"native size", "原始尺寸"))
_TITLES = (
    (r"photos at (.+)", r"照片，{0}"),
    (r"regions at (.+) as clips of (\d+) frames", r"区域，{0}，作为 {1} 帧的视频"),
    (r"regions at (.+)", r"区域，{0}"),
    (r"primitives on classes at (.+)", r"基元与类别，{0}"),
    (r"primitives on parts at (.+)", r"基元与部件，{0}"),
    (r"primitives on clips at (.+)", r"基元与视频，{0}"),
    (r"validation", "验证"),
)
_MEASURED_ON = (
    (
        r"(\d+) photos of (.+), the reported half, all (\d+) classes",
        "{1} 的 {0} 张照片，用于报告的一半，全部 {2} 个类别",
    ),
    (r"(\d+) photos of (.+), all (\d+) classes", "{1} 的 {0} 张照片，全部 {2} 个类别"),
    (r"(\d+) photos, squared at (\d+) pixels, of (.+)", "{2} 的 {0} 张照片，裁成 {1} 像素见方"),
    (
        r"(\d+) photos, squared at (\d+) pixels, held out of the training photos",
        "训练照片中留出的 {0} 张，裁成 {1} 像素见方",
    ),
    (
        r"(\d+) pictures of (.+) as clips of (\d+) frames, those of (.+) left out",
        "{1} 的 {0} 张图片，作为 {2} 帧的视频，不含 {3} 里的",
    ),
    (r"(\d+) pictures of (.+) as clips of (\d+) frames", "{1} 的 {0} 张图片，作为 {2} 帧的视频"),
    (r"(\d+) pictures of (.+), those of (.+) left out", "{1} 的 {0} 张图片，不含 {2} 里的"),
    (r"(\d+) pictures of (.+)", "{1} 的 {0} 张图片"),
    (r"(\d+) photos of (.+)", "{1} 的 {0} 张照片"),
    (r"(\d+) scenes of (.+)", "{1} 的 {0} 个场景"),
)
_MEASURES = {
    "click-AUC": "点击 AUC",
    "overlap": "重叠",
    "overlap of ρ": "ρ 的重叠",
    "median reach": "覆盖面的中位数",
    "dead": "闲置",
    "redundancy": "冗余",
    "stability": "稳定性",
    "class purity": "类别纯度",
    "part purity": "部件纯度",
    "mass-Jaccard": "质量 Jaccard",
    "deletion": "删除",
    "agreement with the plain trunk": "与原网络的一致率",
    "use (KL, nats)": "使用率（KL，nats）",
    "by epoch": "逐轮",
}
_BASELINES = {
    "plain trunk": "原网络",
    "bias only": "只有偏置",
    "teacher": "教师网络",
    "difference": "差",
    "cosine": "余弦",
    "target": "目标",
    "random": "随机模块",
    "random block": "随机模块",
    "chance": "随机",
    "by chance": "随机顺序",
    "by ρ": "按 ρ",
    "k-means of the data set": "数据集的 k-means",
    "k-means, data set": "数据集的 k-means",
    "k-means by nearness": "k-means，按远近",
    "NMF of the data set": "数据集的 NMF",
    "NMF, data set": "数据集的 NMF",
}
_TERMS = {
    "wall_s": "用时（秒）",
    "trained": "训练",
    "what": "对象",
    "mean": "均值",
    "std": "标准差",
    "squares": "裁成的边长",
    "blocks started": "模块的起点",
    "answers": "回答的训练",
    "attention": "注意力的训练",
    "teacher": "教师网络",
    "losses": "损失",
    "predictions": "预测",
    "bound": "界",
    "rebuilding": "重建",
    "photos": "照片数",
    "frames": "帧数",
    "classes": "类别数",
    "sources": "来源",
    "command": "命令",
    "recipe": "配方",
    "seed": "随机种子",
    "epochs": "轮数",
    "steps": "步数",
    "ran on": "运行于",
    "loss": "最终损失",
    "limits": "局限",
}
_KINDS = {
    "double attention": "双重注意力",
    "covariance pooling": "协方差池化",
    "non local": "非局部",
    "self attention": "自注意力",
    "squeeze excitation": "压缩激励",
}
_FACTS = (
    (r"the (.+) blocks; the network that they stand in is frozen", "{0}模块；它们所在的网络保持不变"),
    (
        r"the blocks and the classifier; the trunk is frozen and stays as it was",
        "模块与分类器；主干网络保持不变",
    ),
    (r"as in (\S+), which was trained by (.+)", "与 {0} 相同，它由这条命令训练：{1}"),
    (r"as in (\S+)", "与 {0} 相同"),
    (
        r"at zero: before training, the network answered as without them",
        "从零开始：训练之前，网络的回答与没有模块时相同",
    ),
    (r"the network itself", "网络自身"),
    (r"cross-entropy of the labels", "标签的交叉熵"),
    (
        r"windows of photos, never enlarged, seen at (.+); (\d+)% the teacher's answers, the rest the plain "
        r"network's, each at its own size; where both name one class it was not to lose",
        "照片的窗口，从不放大，以 {0} 观看；{1}% 学教师网络的回答，其余学原网络的，各用自己的尺寸；两者说同一类别时，不得丢掉它",
    ),
    (
        r"windows of photos, seen at (.+); (\d+)% the teacher's answers, the rest the plain network's, each at "
        r"its own size; where both name one class it was not to lose",
        "照片的窗口，以 {0} 观看；{1}% 学教师网络的回答，其余学原网络的，各用自己的尺寸；两者说同一类别时，不得丢掉它",
    ),
    (
        r"Maps on pictures unlike the photos it was trained on \(drawings, microscopy, text\) are extrapolation\.",
        "对于与训练照片不同的图片（绘画、显微图、文字），这些图只是外推。",
    ),
)


def _known(said: str, patterns: Patterns) -> str | None:
    for english, chinese in patterns:
        if found := re.fullmatch(english, said):
            return chinese.format(*(_KINDS.get(part, part) for part in found.groups()))
    return None


def title(said: str) -> str:
    """What was measured."""
    for english, chinese in _SIZES:
        said = re.sub(english, chinese, said)
    return _known(said, _TITLES) or said


def measured_on(said: str) -> str:
    """On which pictures."""
    return _known(said, _MEASURED_ON) or said


def measure(said: str) -> str:
    """The name of a number."""
    return _MEASURES.get(said, said)


def baseline(said: str) -> str:
    """What stands beside ours."""
    if said.endswith(", 95 % interval"):
        return f"{baseline(said.removesuffix(', 95 % interval'))}，95 % 区间"
    if said.startswith("over "):
        other = baseline(said.removeprefix("over "))
        return f"高出{other}{' ' if other.endswith(('s', 'F')) else ''}多少"  # Latin letters stand apart
    return _BASELINES.get(said, said)


def term(said: str) -> str:
    """A part of the name of a fact."""
    return _TERMS.get(said, said.replace("_", " "))


def fact(said: str) -> str:
    """A fact in words."""
    return _known(said, _FACTS) or said
