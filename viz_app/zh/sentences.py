"""What a visitor may read of errors and notes, by the English template of each (`a2core.languages.sentence`).

Fields keep their names and formats. What is raised of networks, checkpoints and atlases is in network_sentences.
"""

from __future__ import annotations

from viz_app.zh import network_sentences

_INSTALL = "请安装这个扩展：pip install 'a2nets[{extra}]'{instead}。"
_TWICE = "请重新复制或下载。"
_AS_PNG = "请存为 PNG。"
_SOUND = "只有声音，没有画面。"
_RAW = "是相机的原始（raw）文件：请冲洗后存为 JPEG。"
_AS_PNG_OR_JPEG = "，这里读不了：请存为 PNG 或 JPEG。"
_AS_MP4 = "，这里读不了：请转换为 MP4。"

_FILES = {
    "This file": "这个文件",
    "the clip": "这段视频",
    "A clip": "视频",
    ", or choose a picture": "，或选一张图片",
    "{who} is empty (0 bytes), so its upload or download failed. Copy or download it again.": (
        "{who} 是空的（0 字节），上传或下载没有成功。" + _TWICE
    ),
    "{who} {what} Choose a JPEG, PNG, HEIC, AVIF, WebP, TIFF, GIF or BMP picture, or an MP4, WebM, MOV, AVI or "
    "MKV clip.": "{who} {what}请选 JPEG、PNG、HEIC、AVIF、WebP、TIFF、GIF 或 BMP 图片，或 MP4、WebM、MOV、AVI 或 MKV 视频。",
    "{who} has {megabytes:,.0f} MB, and pictures may have at most {most} MB. Save it smaller, or as JPEG.": (
        "{who} 有 {megabytes:,.0f} MB，而图片最多 {most} MB。请缩小后再存，或存为 JPEG。"
    ),
    "{who} has {gigabytes:,.1f} GB, and clips may have at most {most} GB. Cut out the part of interest, or save "
    "it smaller.": "{who} 有 {gigabytes:,.1f} GB，而视频最多 {most} GB。请剪出需要的部分，或缩小后再存。",
    "{max_frames} frames were asked for: ask for 1 to {most}.": "要求了 {max_frames} 帧：请要求 1 到 {most} 帧。",
    "A long side of {side_px} pixels was asked for: ask for at least 1.": (
        "要求的长边是 {side_px} 像素：请至少要求 1 像素。"
    ),
    "{who} is a folder. Choose a picture or clip inside it.": "{who} 是文件夹。请选其中的图片或视频。",
    "{who} is a device or pipe, not a file. Save its content as a file first.": (
        "{who} 是设备或管道，不是文件。请先把内容存成文件。"
    ),
    "{who} was not found: nothing is at {path}. Check the path.": "没有找到 {who}：{path} 处什么也没有。请检查路径。",
    "{who} may not be read by you. Change its permissions, or copy it.": (
        "你没有权限读取 {who}。请更改权限，或复制一份。"
    ),
    "{who} cannot be opened ({reason}). Check the path and the disk.": (
        "{who} 打不开（{reason}）。请检查路径和磁盘。"
    ),
    "{who} could not be read ({reason}). Check the disk and try again.": (
        "{who} 读取失败（{reason}）。请检查磁盘后再试。"
    ),
    "{who} has a name that is not Unicode. Rename it.": "{who} 的名字不是 Unicode。请改名。",
    "{who} was not read: it was stopped before its first frame. Start again when ready.": (
        "{who} 没有读取：在第一帧之前就停止了。准备好后请再开始。"
    ),
    "Stopped after {done} of {wanted} frames.": "读了 {wanted} 帧中的 {done} 帧后停止。",
    "The clip of the camera has more than {most} MB. Record it again, shorter.": (
        "摄像头拍的视频超过 {most} MB。请重新拍一段短的。"
    ),
    "{what} needs {modules}, which is not installed. Install the extra: pip install 'a2nets[{extra}]'{instead}.": (
        "{what}需要 {modules}，这里没有安装。" + _INSTALL
    ),
    "{what} needs {modules}, which are not installed. Install the extra: pip install 'a2nets[{extra}]'{instead}.": (
        "{what}需要 {modules}，这里没有安装。" + _INSTALL
    ),
}

_WHAT_FILES_ARE = {
    "is a PDF document: export the page as a picture.": "是 PDF 文档：请把那一页导出为图片。",
    "is a ZIP archive or an office document: unpack it, or export the picture from it.": (
        "是 ZIP 压缩包或办公文档：请解压，或从中导出图片。"
    ),
    "is a RAR archive: unpack it first.": "是 RAR 压缩包：请先解压。",
    "is a 7-Zip archive: unpack it first.": "是 7-Zip 压缩包：请先解压。",
    "is a gzip archive: unpack it first.": "是 gzip 压缩包：请先解压。",
    "is a Photoshop document: export it as PNG or JPEG.": "是 Photoshop 文档：请导出为 PNG 或 JPEG。",
    "is a PostScript drawing: export it as PNG.": "是 PostScript 图形：请导出为 PNG。",
    "is a Windows cursor: save it as PNG.": "是 Windows 光标：" + _AS_PNG,
    "is a macOS icon: save it as PNG.": "是 macOS 图标：" + _AS_PNG,
    "is a JPEG XL picture, which is not read here: save it as PNG or JPEG.": "是 JPEG XL 图片"
    + _AS_PNG_OR_JPEG,
    "is an OpenEXR picture, which is not read here: save it as PNG or JPEG.": (
        "是 OpenEXR 图片" + _AS_PNG_OR_JPEG
    ),
    "is a raw camera file: develop it and save it as JPEG.": _RAW,
    "is a DICOM medical image: export it as PNG.": "是 DICOM 医学影像：请导出为 PNG。",
    "is a NumPy array: save it as a PNG picture.": "是 NumPy 数组：请存为 PNG 图片。",
    "is an HDF5 data file: save its picture as PNG.": "是 HDF5 数据文件：请把其中的图片存为 PNG。",
    "is a Python pickle, which is never opened here: save its picture as PNG.": (
        "是 Python 的 pickle，这里一律不打开：请把其中的图片存为 PNG。"
    ),
    "is a Windows program.": "是 Windows 程序。",
    "is a program.": "是程序。",
    "holds sound only, no picture.": _SOUND,
    "is an Ogg file, which is not read here: convert it to WebM.": "是 Ogg 文件，这里读不了：请转换为 WebM。",
    "is a Windows Media file, which is not read here: convert it to MP4.": "是 Windows Media 文件" + _AS_MP4,
    "is a Flash video, which is not read here: convert it to MP4.": "是 Flash 视频" + _AS_MP4,
    "is an MPEG program stream, which is not read here: convert it to MP4.": "是 MPEG 节目流" + _AS_MP4,
    "is a bare MPEG stream, which is not read here: convert it to MP4.": "是裸的 MPEG 流" + _AS_MP4,
    "is an MPEG transport stream, which is not read here: convert it to MP4.": "是 MPEG 传输流" + _AS_MP4,
    "is a playlist, not a video: download the video itself.": "是播放列表，不是视频：请下载视频本身。",
    "holds nothing but zeros: its copy or download failed.": "里面全是零：复制或下载没有成功。",
    "is an SVG drawing: export it as PNG.": "是 SVG 图形：请导出为 PNG。",
    "is a web page (HTML), not the picture on it: open the page and save the picture itself.": (
        "是网页（HTML），不是网页上的图片：请打开网页，把图片本身存下来。"
    ),
    "is a text file.": "是文本文件。",
    "is neither a picture nor a video that can be read here.": "不是这里能读的图片或视频。",
}

_PICTURES = {
    "{who} is damaged or of an unusual kind: its {format_name} data cannot be decoded. Open it in an image editor "
    "and save it again as PNG.": "{who} 已损坏，或是少见的一种：它的 {format_name} 数据解不开。请用图像编辑器打开，再存为 PNG。",
    "{who} is cut off: the {format_name} file ends before its picture does. Copy or download it again.": (
        "{who} 不完整：{format_name} 文件在图片结束之前就断了。" + _TWICE
    ),
    "{who} is too large for the memory of this computer. Save it smaller.": (
        "{who} 太大，这台计算机的内存放不下。请缩小后再存。"
    ),
    "{who} says it is {width} × {height} pixels, so it is damaged. Save it again.": (
        "{who} 自称是 {width} × {height} 像素，可见已损坏。请重新保存。"
    ),
    "{who} has {width} × {height} = {millions:,.0f} million pixels, and at most {most} million are decoded. Save "
    "it smaller.": "{who} 有 {width} × {height} = {millions:,.0f} 百万像素，而最多解码 {most} 百万。请缩小后再存。",
    "{who} has too many pixels, and at most {most} million are decoded. Save it smaller.": (
        "{who} 的像素太多，最多解码 {most} 百万。请缩小后再存。"
    ),
    "{who} is {width} × {height} pixels, and a side may be at most {most} times the other. Crop it.": (
        "{who} 是 {width} × {height} 像素，而一边最多是另一边的 {most} 倍。请裁剪。"
    ),
    "{who} is a JPEG of more than {most} scans, which would take very long to decode. Save it again in an image "
    "editor.": "{who} 是扫描超过 {most} 遍的 JPEG，解码要很久。请用图像编辑器重新保存。",
    "{who} is made of more than {most:,} tiny parts, which would take very long to decode. Save it again in an "
    "image editor.": "{who} 由超过 {most:,} 个小块组成，解码要很久。请用图像编辑器重新保存。",
    "{who} is a raw camera file: develop it and save it as JPEG.": "{who} " + _RAW,
    "{who} has {bands} bands of {bits} bits and {millions:,.0f} million pixels, more than {most} MB of samples. "
    "Save it smaller, or with 8 bits.": (
        "{who} 有 {bands} 个 {bits} 位的波段、{millions:,.0f} 百万像素，样本超过 {most} MB。请缩小后再存，或存为 8 位。"
    ),
    "Transparent parts were filled with white.": "透明的部分填成了白色。",
    "Reduced from {was_width} × {was_height} to {now_width} × {now_height} pixels.": (
        "从 {was_width} × {was_height} 缩小到 {now_width} × {now_height} 像素。"
    ),
    "Samples that are no finite number are shown black.": "不是有限数的样本显示为黑色。",
    "Samples from 0 to 1 were reduced to 8 bits.": "0 到 1 的样本缩减到了 8 位。",
    "{bits}-bit samples that use only {low} to {high} were stretched from black to white.": (
        "{bits} 位样本只用到 {low} 到 {high}，已拉伸为从黑到白。"
    ),
    "{bits}-bit samples were reduced to 8 bits.": "{bits} 位样本缩减到了 8 位。",
    "All samples are {low:g}: they are shown black.": "所有样本都是 {low:g}：显示为黑色。",
    "Samples from {low:g} to {high:g} were stretched from black to white.": (
        "从 {low:g} 到 {high:g} 的样本已拉伸为从黑到白。"
    ),
    "Its colours are of high dynamic range (HDR) and look pale here.": "它的颜色是高动态范围（HDR），在这里显得浅淡。",
    "This icon holds {count} pictures: the largest is shown.": "这个图标含 {count} 张图片：显示最大的一张。",
    "This file holds {count} pictures: its main one is shown.": "这个文件含 {count} 张图片：显示主要的一张。",
    "Of {bands} bands the first {colours} bands are shown; further bands are not.": (
        "{bands} 个波段中显示前 {colours} 个，其余不显示。"
    ),
    "Of {bands} bands the first band is shown; further bands are not.": "{bands} 个波段中显示第一个，其余不显示。",
    "This TIFF begins with a reduced copy: its full picture is shown.": "这个 TIFF 以缩小的副本开头：显示的是完整的图片。",
    "This TIFF says that it is a reduced copy of another picture.": "这个 TIFF 自称是另一张图片的缩小副本。",
    "This is a TIFF of several pages: the first is shown.": "这是多页的 TIFF：显示第一页。",
}

_CLIPS = {
    "Only the first frame of {name} is shown.": "只显示 {name} 的第一帧。",
    "Cut off or damaged: only the first {frames} frames could be read.": "不完整或已损坏：只能读出前 {frames} 帧。",
    "A very long animation: only its first {frames} frames were looked at.": "很长的动画：只看了前 {frames} 帧。",
    "Its frames have more than {millions} million pixels each: only the first is shown.": (
        "每帧都超过 {millions} 百万像素：只显示第一帧。"
    ),
    "High dynamic range ({transfer}): its bright parts were brought into the range of ordinary pictures.": (
        "高动态范围（{transfer}）：亮的部分已压到普通图片的范围。"
    ),
    "Its colours are coded in an unusual way, so they may look wrong.": "颜色的编码方式少见，看上去可能不对。",
    "{who} has a video track without a single frame. Record or export it again.": (
        "{who} 的视频轨一帧也没有。请重新录制或导出。"
    ),
    "{who} uses the codec {codec}, which cannot be decoded here. Convert it to MP4 (H.264) or WebM (VP9).": (
        "{who} 用的编码是 {codec}，这里解不开。请转换为 MP4（H.264）或 WebM（VP9）。"
    ),
    "{who} uses the codec {codec}, and none of its frames can be decoded here. Convert it to MP4 (H.264) or WebM "
    "(VP9), or copy it again if it used to play.": (
        "{who} 用的编码是 {codec}，这里一帧也解不开。请转换为 MP4（H.264）或 WebM（VP9）；若以前能播放，请重新复制。"
    ),
    "Cut off: only {held_s:.1f} of its {announced_s:.1f} seconds could be read.": (
        "不完整：{announced_s:.1f} 秒中只能读出 {held_s:.1f} 秒。"
    ),
    "Its header announces {announced_s:.1f} seconds, but its frames end at {held_s:.1f}.": (
        "文件头说有 {announced_s:.1f} 秒，但帧到 {held_s:.1f} 秒就结束了。"
    ),
    "Only one of its {tracks} video tracks is shown.": "{tracks} 条视频轨中只显示一条。",
    "{who} is damaged or of an unusual kind: no video can be found in this {container} file. Copy it again, or "
    "convert it to MP4 (H.264).": (
        "{who} 已损坏，或是少见的一种：在这个 {container} 文件里找不到视频。请重新复制，或转换为 MP4（H.264）。"
    ),
    "{who} holds sound only, no picture. Choose a clip with a video track.": "{who} "
    + _SOUND
    + "请选有视频轨的视频。",
    "{who} is cut off: the {container} file ends before the index that its frames need. Copy or download it "
    "again.": "{who} 不完整：{container} 文件在帧所需的索引之前就断了。" + _TWICE,
    "The size of its frames changes: all are shown at that of the first.": "帧的大小有变：全部按第一帧的大小显示。",
    "It is interlaced: one field of each frame is shown.": "它是隔行扫描的：每帧显示一个场。",
    "The clip would start at {start_s:g} s and end at {end_s:g} s: swap the two.": (
        "视频会从 {start_s:g} s 开始、到 {end_s:g} s 结束：请对调两者。"
    ),
    "A time of {bound} s was asked for: give seconds from the start, 0 or more.": (
        "要求的时间是 {bound} s：请给出从开头算起的秒数，0 或更大。"
    ),
    "{who} has no frames after {start_s:g} s: its last is at {last_s:.2f} s. Begin sooner.": (
        "{who} 在 {start_s:g} s 之后没有帧：最后一帧在 {last_s:.2f} s。请早一点开始。"
    ),
    "{who} has frames of {megabytes:,.0f} MB, of which {count} may have to be held to make others from. That is "
    "too much at a time: save it smaller.": (
        "{who} 的一帧有 {megabytes:,.0f} MB，为了生成其他帧可能要同时保留 {count} 帧。这太多了：请缩小后再存。"
    ),
    "Only {done} of {wanted} frames could be decoded.": "{wanted} 帧中只能解码 {done} 帧。",
    "Frames of more than {millions} million pixels are left out.": "超过 {millions} 百万像素的帧已略去。",
    "Damaged: only its first frame could be decoded.": "已损坏：只能解码第一帧。",
    "This clip was made, not filmed: a photo panned over and zoomed into, with another crossing it.": (
        "这段视频是合成的，不是拍摄的：在一张照片上平移和推近，另一张照片从中穿过。"
    ),
}

_TRACES = {
    "This network answers with {answer}, not with classes; that is not shown.": (
        "这个网络的回答是 {answer}，不是类别；这里不显示。"
    ),
    "The network answered with values that are not finite. Try A2_DEVICE=cpu.": (
        "网络的回答里有不是有限数的值。请试 A2_DEVICE=cpu。"
    ),
    "The {device} device ran out of memory on {count} × {width} × {height} pixels. Choose a smaller size or fewer "
    "frames.": "设备 {device} 在处理 {count} × {width} × {height} 像素时内存用尽。请选小一些的尺寸，或少一些的帧。",
    "Picture size {size} is out of range. Choose {least} to {most} pixels.": (
        "图片尺寸 {size} 超出范围。请选 {least} 到 {most} 像素。"
    ),
    "The trace was stopped before it was done. Start again when ready.": "追踪在完成之前停止了。准备好后请再开始。",
    "The network does not run on {width} × {height} pixels ({fault}). {remedy}": (
        "网络不能在 {width} × {height} 像素上运行（{fault}）。{remedy}"
    ),
    "Choose another size.": "请选别的尺寸。",
    "It did take {width} × {height}: choose such a picture and size={size}, or make the network for any size.": (
        "它能接受 {width} × {height}：请选这样的图片并用 size={size}，或把网络做成能接受任何尺寸。"
    ),
    "{network} answers with {answer}, not with classes, so there is no answer to compare. Choose a classifier.": (
        "{network} 的回答是 {answer}，不是类别，所以没有可比较的回答。请选分类网络。"
    ),
    "The donor's bag was made by another network, whose primitives mean something else. Run both pictures through "
    "the same model.": "移植来的基元袋出自另一个网络，其基元的含义不同。请让两张图片通过同一个模型。",
    "With these factors (largest {largest:.3g}) the network's answer is not finite any more. Choose smaller "
    "ones.": "用这些系数（最大 {largest:.3g}），网络的回答不再是有限数。请选小一些的。",
    "Block {block!r} of {network} is a {kind}; the lesson is about double attention. Choose other weights.": (
        "{network} 的模块 {block!r} 是 {kind}；课程讲的是双重注意力。请选别的权重。"
    ),
    "This network takes grey pictures: it sees the brightness alone.": "这个网络接受灰度图片：它只看亮度。",
    "This network takes {width} × {height} pixels only: the picture is squeezed to it.": (
        "这个网络只接受 {width} × {height} 像素：图片被压成这个尺寸。"
    ),
    "This network takes {channels} channels: red, green and blue are given in turn.": (
        "这个网络接受 {channels} 个通道：依次给它红、绿、蓝。"
    ),
}

_SERVER = {
    "The server has let this go to make room for others. Bring the file again.": (
        "服务器已将它移除，以便为他人腾出空间。请重新放入文件。"
    ),
    "This takes {size}, and the server keeps at most {most} for one visitor. Take fewer frames, or a smaller "
    "size.": "它占 {size}，而服务器为一位访问者最多保留 {most}。请少取一些帧，或选小一些的尺寸。",
    "All {most} that this server may keep are on visitors’ screens just now. Take fewer frames or a smaller size, "
    "or try again in a minute.": (
        "服务器能保留的 {most} 此刻都在访问者的屏幕上。请少取一些帧或选小一些的尺寸，或过一分钟再试。"
    ),
    "{name} was let go: the server keeps at most {most} for one visitor. Drop it again to go on.": (
        "{name} 已移除：服务器为一位访问者最多保留 {most}。要继续请重新放入。"
    ),
    "{name} was let go: the server keeps at most {most} for all visitors. Drop it again to go on.": (
        "{name} 已移除：服务器为所有访问者最多保留 {most}。要继续请重新放入。"
    ),
    "Nobody waits for this any more.": "已经没有人在等它了。",
}

_ATLASES = {
    "{file} beside the atlas cannot be read ({fault}). Allow it.": "读不了图谱旁边的 {file}（{fault}）。请给予权限。",
    "Names cannot be written beside the atlas ({fault}). Copy it to a folder of yours.": (
        "名字写不到图谱旁边（{fault}）。请把图谱复制到你自己的文件夹。"
    ),
    "This name has {count} characters. Use at most {most}.": "这个名字有 {count} 个字符。最多用 {most} 个。",
    "This note has {count} characters. Use at most {most}.": "这条备注有 {count} 个字符。最多用 {most} 个。",
    "This is no file of names ({fault}). Take one that was exported, or mend {file}.": (
        "这不是名字文件（{fault}）。请用导出的文件，或修好 {file}。"
    ),
    "This file of names is larger than 4 MB. Take one that was exported here.": (
        "这个名字文件大于 4 MB。请用在这里导出的文件。"
    ),
    "These are names of other primitives. Take a file exported for this network.": (
        "这些是别的基元的名字。请用为这个网络导出的文件。"
    ),
    "The picture {path} is gone; its crop is kept.": "图片 {path} 已不在；保留着它的裁剪。",
}

_SHOWN = {
    "Your picture {name}": "你的图片 {name}",
    "Your clip {name}": "你的视频 {name}",
    "The face of a tabby cat, close up": "一只虎斑猫的脸，近景",
    "A cup of coffee on a saucer, on a wooden table": "木桌上的一杯咖啡，下面有碟子",
    "Astronaut Eileen Collins, smiling, in an orange suit before a flag and a model of the Shuttle": (
        "宇航员艾琳·柯林斯身穿橙色宇航服微笑，身后是国旗和航天飞机模型"
    ),
    "A rocket lifting off between two towers": "火箭从两座塔架之间升空",
    "A man in a coat with a camera on a tripod, black and white": "黑白照片：穿大衣的男子和三脚架上的摄影机",
    "Hundreds of galaxies on a black sky": "黑色天空上的数百个星系",
    "A made clip: the face of a cat, cut out round, crosses a cup of coffee while the camera moves": (
        "合成视频：圆形的猫脸从一杯咖啡前移过，镜头同时移动"
    ),
    "Chelsea. Photo: Stéfan van der Walt, CC0": "Chelsea（猫）。摄影：Stéfan van der Walt，CC0",
    "Coffee cup. Photo: Rachel Michetti, CC0": "咖啡杯。摄影：Rachel Michetti，CC0",
    "Eileen Collins. Photo: NASA, public domain": "艾琳·柯林斯。摄影：NASA，公有领域",
    "Falcon 9 with DSCOVR. Photo: SpaceX, public domain": "搭载 DSCOVR 的猎鹰 9 号。摄影：SpaceX，公有领域",
    "Cameraman. Photo: Lav Varshney, CC0": "摄影师。摄影：Lav Varshney，CC0",
    "Hubble eXtreme Deep Field. Photo: NASA, public domain": "哈勃极深空。摄影：NASA，公有领域",
    "{scene}. {thing}": "{scene}；以及 {thing}",
    "somebody unnamed": "未署名者",
    "Photo by {author}, {licence}, cropped and made smaller.": "照片：{author}，{licence}，已裁剪并缩小。",
    "Photo by {author}, {licence}, cropped and made smaller. {link}": (
        "照片：{author}，{licence}，已裁剪并缩小。{link}"
    ),
}

SENTENCES = {
    **_FILES,
    **_WHAT_FILES_ARE,
    **_PICTURES,
    **_CLIPS,
    **_TRACES,
    **_SERVER,
    **_ATLASES,
    **_SHOWN,
    **network_sentences.SENTENCES,
}
