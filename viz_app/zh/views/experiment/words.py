"""The words of Experiment."""

from __future__ import annotations

import math
from collections.abc import Sequence

LEAD = (
    '<div class="a2-lead"><h1>关闭一个基元。</h1>'
    "<p>看网络对你在“探索”里选的图片或视频，这时会怎么说。</p></div>"
)
UNTRAINED = (
    '<div class="a2-untrained" role="status"><strong>随机权重。</strong>这些模块从未训练过：'
    "它们改变了什么是真的，它们看哪里则没有意义。</div>"
)
NO_BLOCK = "这个网络没有可以做实验的双重注意力模块。请选别的权重。"

TRACING = "正在追踪视频"
RUNNING_ONCE = "正在运行一次网络，以保留模块之前的结果"
RUNNING_DONOR = "正在另一张图片上运行网络"
RUNNING_TAIL = "正在运行模块之后的部分"

RULE, CLASS = "被关闭者的权重 ρ", "类别"
RULES = {"missing": "就此缺失", "shared": "分给其他基元"}
ABOUT_RULE = (
    "就此缺失：被关闭者的各项 V_ij · expand(g_i) 不计入求和。分给其他基元：在每个位置上，"
    "ρ 在余下的基元上重新归一化，其和仍为 1。"
)
ALL_OFF, UNDO, RESET = "全部关闭", "撤销", "重置"
NOTHING_TO_SHARE = "所有基元都关闭时，没有谁可以分得 ρ，因此不做归一化：这就是没有该模块的网络。"
TRANSPLANT = "<h3>移植一袋基元 <small>在一张图片里收集，分配到这一张</small></h3>"
DONOR, ITS_OWN = "基元袋收集自", "它自己"
ABOUT_TRANSPLANT = (
    '<p class="a2-why">无论另一张图片是什么形状、视频有多长，基元袋都合用：它是一组没有位置的向量。'
    "每个基元在哪里收集，求和之后就看不出了；它去哪里，由这张图片的 ρ 决定。</p>"
)

POINTS, SHORT_POINTS = "个百分点", "百分点"
SHIFTS_ALT = "前后的类别"
COLUMNS = {
    "class": "类别",
    "before": "之前",
    "after": "之后",
    "probability": "概率",
    "change": "变化",
    "odds": "对数几率",
}
CHANGED = "模块的输出在哪里变了"
BETWEEN_NOTES = ""
NOWHERE = "处处未变：与原来一样。"
PLACES = (
    ("左上方", "上方", "右上方"),
    ("中部左侧", "中部", "中部右侧"),
    ("左下方", "下方", "右下方"),
)

VERDICTS = (
    "所以在这里，小图的先后顺序可信，数值大小则不可信。",
    "所以在这里，小图的顺序只是大致正确：要相信某一个，先测量。",
    "所以在这里，小图的顺序不可信。",
)
NO_ORDER = "所以在这里，小图没有可信的顺序。"
UNDEFINED = "无定义"


def effect_of(label: str, *, transplanted: bool) -> str:
    """What the numbers on the tiles are the effect on."""
    return label + ("（按它自己的基元袋）" if transplanted else "")


def about_trust(count: int) -> str:
    """What the number on a tile is, and what finding the truth takes."""
    return (
        "<h3>小图上的数字可信吗？</h3><p>它是<b>一阶项</b>：假如模块之后的网络是线性的，这个基元会给该类别加上多少。"
        f"但网络并非线性。要知道真实影响，每个基元都要运行一次：模块之后的部分共运行 {count} 次。</p>"
    )


def measure(count: int) -> str:
    """The button that has the true effects measured."""
    return f"测量全部 {count} 个"


def measuring(count: int) -> str:
    """What is done while its visitor waits."""
    return f"正在逐个关闭 {count} 个基元"


def bag_of(title: str) -> str:
    """Another picture's bag."""
    return f"用<i>{title}</i>的基元袋"


def without_block(count: int) -> str:
    """Every primitive is off."""
    return f"去掉这个模块（{count} 个基元全部关闭）"


def alone(name: str, factor: str) -> str:
    """One is left."""
    return f"只留 {name}{f' × {factor}' if factor else ''}"


def only(names: str) -> str:
    """Few are left."""
    return f"只留 {names}"


def without(names: str) -> str:
    """Some are off."""
    return f"去掉 {names}"


def scaled(names: Sequence[str], more: int, *, first: bool) -> str:
    """Some are weaker or stronger."""
    rest = f"，另有 {more} 个也缩放" if more else ""
    return f"取 {'、'.join(names)}{rest}"


def some(names: Sequence[str], more: int) -> str:
    """Primitives by their names, and how many others."""
    if more:
        return f"{'、'.join(names)} 和另外 {more} 个"
    return names[0] if len(names) == 1 else f"{'、'.join(names[:-1])} 和 {names[-1]}"


def beginning(parts: Sequence[str]) -> str:
    """Those parts as the beginning of a sentence."""
    return "，".join(parts)


def as_it_is(name: str, share: str) -> str:
    """Nothing is changed yet."""
    return f"所有基元都在时，网络的回答是 <b>{name}</b>，{share}。请关闭一个。"


def another_answer(done: str, other: str, its: str, name: str, was: str, now: str) -> str:
    """The network's answer is another class."""
    return f"{done}，网络的回答变为 <b>{other}</b>，{its}，取代了 <b>{name}</b>，后者从 {was} 降到 {now}。"


def same_answer(done: str, name: str, share: str) -> str:
    """Nothing moved."""
    return f"{done}，网络的回答仍是 <b>{name}</b>，{share}：一位数字也没变。"


def changed_answer(done: str, name: str, was: str, now: str, size: str, *, more: bool) -> str:
    """The same class, with another probability."""
    return (
        f"{done}，网络的回答是 <b>{name}</b>，{now}，原来是 {was}：{'多' if more else '少'}了 <b>{size}</b>。"
    )


def moved_by(nats: str) -> str:
    """How far the answer moved over all classes."""
    return f"整个回答移动了 {nats}。"


def in_proportion(name: str, change: str, nats: str) -> str:
    """What the whole block is worth."""
    return f"作为对照：去掉整个模块，{name} 变化 {change}，回答移动 {nats}。"


def bars_to(share: str) -> str:
    """What the longest bar of a probability stands for."""
    return f"条长至 {share}"


def bar_ends(reach: str) -> str:
    """What the end of a bar of log-odds stands for."""
    return f"条端为 ± {reach}"


def changed_alt(alt: str, peak: str, place: str) -> str:
    """What the picture of the change shows."""
    where = f"，变化最大处在{place}" if place else ""
    return f"{alt}：模块的输出最多变化 {peak}{where}"


def changed_scale(count: int, half: str) -> str:
    """What the colours of that picture mean."""
    return f"每个位置上的 |Y′ − Y| / |Y|；{count} 个位置中有一半变化小于 {half}。"


def trust(*, correlation: str, name: str, leader: int, effect: str, first: int, verdict: str) -> str:
    """How far first-order terms and true effects agree, in HTML."""
    agree = "它的一阶项也最大" if leader == first else f"而一阶项最大的不是它，是 g<sub>{first}</sub>"
    return (
        f"对 <b>{name}</b>，两者的 Spearman 秩相关系数是 <b>{correlation}</b>。真实影响最大的是 "
        f"g<sub>{leader}</sub>，{effect} logit；{agree}。{verdict}"
    )


def trust_alt(count: int, label: str, correlation: str) -> str:
    """What their chart shows."""
    return f"散点图：{label} 的 {count} 个基元，一阶项对真实影响，秩相关系数 {correlation}"


def verdict(rank_correlation: float) -> str:
    """What a rank correlation means for the numbers on the tiles."""
    if math.isnan(rank_correlation):
        return NO_ORDER
    return VERDICTS[0 if rank_correlation >= 0.9 else 1 if rank_correlation >= 0.6 else 2]
