"""Words of several pages."""

from __future__ import annotations

APP = "A² 探索器"
PAGES = {
    "explore": "探索",
    "learn": "学习",
    "compare": "比较",
    "experiment": "实验",
    "primitives": "基元",
    "about": "关于",
}
READ_IN = "切换到 {language}"
NO_CHECKPOINT = "没有可用的权重。请把 .safetensors 文件连同它的卡片放进 checkpoints/。"
STOP = "停止"
BLOCK = "模块"
A_CELL = "第 {row} 行第 {col} 列"
UNEXPECTED = "这里发生了不该发生的错误。详情在服务器日志里；请重新载入页面继续，或换一张图片。"
NO_UPLOADS = (
    "这里不能上传文件：在这个框架里，浏览器不交出用来核对上传的 cookie。{instead} 服务器的管理者可以设置 "
    "`server.enableXsrfProtection = false`。"
)
NO_CAMERA = "外层页面没有把摄像头借给这一页：那里的框架需要 <code>allow=&quot;camera&quot;</code>。"
OWN_TAB, OWN_TAB_LINK = "请单独打开探索器。", "[单独打开探索器]({url})。"
NO_ROOM_FOR_FILE = "没有空间保留 {title} 的文件：不能再选它的其他帧。"

LINK_TITLE = "在其他屏幕上打开此页"
LINK_CODE = "供手机摄像头扫描的链接二维码"
COPIED = "链接已复制。"
THIS_MACHINE_ONLY = (
    "它只指向这台机器本身。要在其他屏幕上打开，请用这台机器在网络中的名字打开探索器，再取一次链接。"
)
PICTURE_STAYS = "图片是你自己的，不会随链接传送：打开链接的人需要在那里放入同一个文件。"
SITE_CODE = "供手机使用的地址二维码"
SITE = "供手机使用：在手机自己的浏览器里运行的探索器，用手机自己的照片和摄像头，数据都留在手机上。它打开的是自带的图片，不是这一张。"
SOMEBODY = "未署名者"
NOTHING_KEPT = "还没有保留任何图片"
BETWEEN = "，"

_PICTURES = {
    "chelsea": "猫",
    "coffee": "咖啡",
    "astronaut": "宇航员",
    "rocket": "火箭",
    "camera": "摄影师",
    "hubble": "深空",
    "made-clip": "合成视频",
}
_BLOCKS = {"parts": "部件", "objects": "物体", "textures": "纹理"}


def picture(name: str, title: str) -> str:
    """What a picture is called."""
    return _PICTURES.get(name, title)


def block_word(word: str) -> str:
    """What the cells of a block are the size of."""
    return _BLOCKS.get(word, word)


def stop(here: int | None, count: int, title: str, pin: int) -> str:
    """Where in the list of kept pictures a page is."""
    if here is None:
        return f"已保留 {count} 张" if count else NOTHING_KEPT
    return f"{here + 1} / {count} {title}" + (f"，图钉 {pin}" if pin else "")


def waiting(what: str, ahead: int) -> str:
    """How a piece of work stands."""
    return f"{what}：前面还有 {ahead} 个" if ahead else what


def credit(author: str, licence: str) -> str:
    """Whose a picture is that was made smaller and cut."""
    return f"照片：{author}，{licence}，已缩小；范例从中裁出。"


def used(share: str) -> str:
    """How much of what a block hands out is of one primitive."""
    return f"使用率 {share}"


def reaches(share: str) -> str:
    """How evenly that is spread over the pictures of an atlas."""
    return f"广度 {share}"


def over(count: int, said: str) -> str:
    """What was measured over so many pictures."""
    return f"{count:,} 张图片中{said}"
