/*
 * The words of the probe canvas in Chinese: what words.js exports, under the same names.
 *
 * Terms are those of a2core/canvas/zh.py. Numbers come in as they read.
 */

export const DIRECTIONS = {
  from: {
    what: "这个像素的信息是从哪里收集来的",
    whatBox: "框内的信息是从哪里收集来的（平均）",
    list: "这个像素接收了什么",
    listBox: "框内接收了什么（平均）",
    column: "接收份额 ρ",
    verb: "接收",
    colour: "越亮：来自那里的越多",
    unit: "每格的注意力",
    all: "所有像素同一尺度",
    whole: "的注意力",
    hint: "在图片上移动：亮起来的地方，就是那个像素的信息被收集的地方。点击可固定它",
    touched: "按住图片并移动：亮起来的地方，就是那个像素的信息被收集的地方。轻点可标记它",
  },
  to: {
    what: "谁从这个像素接收信息",
    whatBox: "谁从框内接收信息",
    list: "这个像素的信息由什么带走",
    listBox: "框内的信息由什么带走",
    column: "带走份额 θ · 使用率",
    verb: "带走",
    colour: "越亮：从这里取得越多",
    unit: "占一格注意力的份额",
    all: "所有像素同一尺度",
    whole: "离开这里的信息",
    hint: "在图片上移动：亮起来的地方，就是从那个像素接收信息的地方。点击可固定它",
    touched: "按住图片并移动：亮起来的地方，就是从那个像素接收信息的地方。轻点可标记它",
  },
};

/** What stands beside the picture, as the payload calls it. @param {string} name */
const token = (name) =>
  name.replace(/^class token$/, "类别 token").replace(/^register(?: token)?\b/, "寄存器 token");

export const HEADS = {
  entry: "网络自身的注意力",
  entryTitle: "网络原本就有的 softmax 注意力，逐层、逐头查看",
  comes: "正在取这一层……",
  pixel: "这个像素",
  box: "框内（平均）",
  token,
  at: (/** @type {string} */ name) => `${token(name)}，位于图片之外`,
  title: {
    attends: {
      from: (/** @type {string} */ who) => `${who}在看哪里`,
      to: (/** @type {string} */ who) => `谁在看${who}`,
    },
    rollout: {
      from: (/** @type {string} */ who) => `Rollout：${who}的信息可能来自哪里`,
      to: (/** @type {string} */ who) => `Rollout：谁可能得到${who}的信息`,
    },
  },
  of: (/** @type {number | null} */ head, /** @type {number} */ n) =>
    head === null ? `，${n} 个头的平均` : `，头 h${head}`,
  mean: "平均",
  head: (/** @type {number} */ i) => `头 ${i}`,
  meanOfAll: "所有头的平均",
  pixelOption: "像素",
  tokenOption: token,
  rollout: "rollout",
  explains: {
    attends:
      "每个位置在每个头里都与所有位置比较一次，并从相配的位置取信息：对全部位置做 softmax。每块小图是标记处在一个头里看的地方。",
    rollout:
      "Rollout 把各层的平均注意力连乘起来，每个 token 有一半留在原处。它只跟踪权重，不管这些权重算出了什么：只是信息可能来源的粗略图景。",
  },
  beside: (/** @type {string} */ share, /** @type {string[]} */ names) =>
    `其中 ${share} 流向${names.length === 1 ? token(names[0]) : "图片之外的 token"}`,
  random: "随机权重：这些图没有意义。",
};

export const GUESS = {
  hide: "遮住图",
  reveal: "揭晓",
  title: "遮住图和它的数字，让全班先猜，再揭晓（H）",
  from: "猜一猜：这一处的信息来自哪里？",
  to: "猜一猜：谁从这一处接收信息？",
  map: "猜一猜：图在哪里是亮的？",
  asked: "揭晓之前，图是遮住的。",
};

/** @type {import("./dom.js").Option[]} */
export const ASK = [
  { value: "from", text: "← 收集自", title: "这个像素的信息来自哪里？" },
  { value: "to", text: "分配给 →", title: "谁从这个像素接收信息？" },
  { value: "change", text: "改变量", title: "模块在哪里改变了什么？" },
];

/** @type {import("./dom.js").Option[]} */
export const SCALES = [
  { value: "relative", text: "相对", term: "relative" },
  { value: "absolute", text: "绝对", term: "absolute" },
];

/** @type {import("./dom.js").Option[]} */
export const SORTS = [
  { value: "rho", text: "标记处的 ρ", title: "标记的像素或框接收最多的排在前面" },
  { value: "reach", text: "半数区", term: "half" },
  { value: "use", text: "使用率", term: "use" },
  { value: "effect", text: "影响", term: "effect" },
];

/** @type {import("./dom.js").Option[]} */
export const TILES = [
  { value: "gather", text: "θ 收集", title: "每个基元从哪里收集" },
  { value: "distribute", text: "ρ 分配", title: "每个基元分配到哪里" },
];

export const SHARE = {
  random: "随机权重：这些图没有意义。",
  noPicture: "浏览器放不下这么大的图片。请把窗口缩小后再试。",
  savedInstead: "这里无法分享，图片已存为文件。",
};

/** @param {string} time */
export const moment = (time) => `${time} 处的帧`;

/** @param {number} perSecond */
export const speed = (perSecond) => (perSecond ? `每秒 ${perSecond} 帧` : "按拍摄速度");

/** @type {Record<import("./colours.js").Kind, import("./words.js").MapWords>} */
export const MAPS = {
  attention: {
    legend: DIRECTIONS.from,
    moments: { title: "各时刻的来源", tile: "来自这里" },
    numbers: (peak) => `单格最多 ${peak}`,
  },
  received: {
    legend: DIRECTIONS.to,
    moments: { title: "流向各时刻", tile: "流向这里" },
    numbers: (peak) => `最多占一格注意力的 ${peak}`,
  },
  gather: {
    legend: { unit: "每格的注意力", all: "所有图同一尺度", colour: "越亮：在那里收集得越多" },
    moments: { title: "各时刻的收集", tile: "在这里收集" },
    numbers: (peak) => `单格最多 ${peak}`,
    what: (i) => `基元 g${i} 从哪里收集（θ）`,
  },
  distribute: {
    legend: { unit: "接收份额", all: "所有图同一尺度", colour: "越亮：分配到那里的越多" },
    moments: { title: "各时刻的分配（平均）", tile: "平均分配到这里" },
    numbers: (peak) => `一个位置最多 ${peak}`,
    what: (i) => `基元 g${i} 分配到哪里（ρ）`,
  },
  change: {
    legend: { unit: "相对改变量 |Y − X| / |X|", all: "最大与输入等长", colour: "越亮：改变越大" },
    moments: { title: "各时刻的改变量（平均）", tile: "平均在这里改变" },
    numbers: (peak) => `最多为输入长度的 ${peak}`,
    what: () => "模块在哪里改变了输入",
    hint: "亮的地方，就是模块改变了输入的地方",
    there: (value) => `模块把它改变了其长度的 ${value}`,
  },
};

export const OWN_PEAK = "各自的峰值";
export const SHARED = "所有图片同一尺度";
export const NEARLY_FLAT = "几乎平坦：均值的两倍";

const LABELS = { parts: "部件", objects: "物体", textures: "纹理" };

/** @param {string} label */
export const blockSaid = (label) =>
  label
    .replace(/^(parts|objects|textures)(?= \()/, (word) => LABELS[/** @type {keyof LABELS} */ (word)])
    .replace(
      /\((parts|objects|textures)(?=, )/,
      (_, word) => `(${LABELS[/** @type {keyof LABELS} */ (word)]}`,
    )
    .replace(/^Attention rollout through (\d+) layers/, "贯穿 $1 层的注意力 rollout")
    .replace(/ cells(, in windows)?\)/, (_, windows) => ` 格${windows ? "，分窗口" : ""})`);
export const pictureSaid = (/** @type {string} */ alt) => alt.replace(/ pixels$/, " 像素");

/** As CARDS of a2core/canvas/zh.py has them; the rest of a card is somebody's own words, or numbers. */
const CARDS = /** @type {[RegExp, string][]} */ ([
  [/^Hardly used; usually gathered /, "很少使用；通常收集自"],
  [/^Usually gathered /, "通常收集自"],
  [/at the top left$/, "左上"],
  [/at the top right$/, "右上"],
  [/at the bottom left$/, "左下"],
  [/at the bottom right$/, "右下"],
  [/towards the top$/, "偏上处"],
  [/towards the bottom$/, "偏下处"],
  [/left of centre$/, "中心偏左"],
  [/right of centre$/, "中心偏右"],
  [/in the centre$/, "中心"],
  [/around the edges$/, "边缘一圈"],
  [/anywhere in the frame$/, "画面各处"],
  [/^purity (?=[\d.]+)/, "纯度 "],
  [/, of parts (?=[\d.]+)/, "，部件纯度 "],
  [/^of parts (?=[\d.]+)/, "部件纯度 "],
  [/(?<=\d), MonoScore (?=[−\-\d.]+)/, "，MonoScore "],
]);

/** @param {string} card */
export const cardSaid = (card) =>
  card
    .split(" · ")
    .map((part) => CARDS.reduce((said, [english, chinese]) => said.replace(english, chinese), part))
    .join(" · ");

export const A_PICTURE = "这张图片";

export const WHOLE = { picture: "图片", frame: "这一帧", clip: "整段视频" };
export const partOf = (/** @type {string} */ part, /** @type {string} */ whole) => `${whole}的 ${part}`;

export const POINTS = "百分点";
export const evenAt = (/** @type {string} */ share) => `均值 ${share}`;

export const PLACE = {
  pixel: (
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {string} */ when,
    /** @type {string} */ cell,
  ) => `像素 (x ${x}, y ${y})${when} · 格：${cell}`,
  cell: (/** @type {number} */ row, /** @type {number} */ col) => `第 ${row} 行第 ${col} 列`,
  box: (
    /** @type {number} */ count,
    /** @type {string} */ rows,
    /** @type {string} */ cols,
    /** @type {string} */ when,
  ) => `${count} 格的框（行 ${rows}，列 ${cols}）${when}`,
};

export const PINS = {
  unpin: "取消固定",
  remove: (/** @type {number} */ pin) => `移除图钉 ${pin}`,
  removes: (/** @type {number} */ pin) => `移除图钉 ${pin}`,
  pinned: "已固定。",
  pinnedOf: (/** @type {number} */ pin, /** @type {number} */ pins) =>
    `已固定，第 ${pin} 个，共 ${pins} 个。`,
  at: (/** @type {number} */ pin, /** @type {string} */ where) => `图钉 ${pin}，${where}`,
  primitive: "基元",
};

export const LIST = {
  hovered: "指针所在处",
  pinned: "已固定",
  marked: "标记处",
  presented: "基元：点击一个，看它从哪里收集",
  cells: (/** @type {number} */ count) => `${count} 格，均值 ± 标准差`,
  term: (/** @type {number} */ i) => `图中 g${i} 这一项`,
  others: (/** @type {number} */ count, /** @type {string} */ share) => `另有 ${count} 个，合计 ${share}`,
  row: (
    /** @type {number} */ place,
    /** @type {number} */ i,
    /** @type {string} */ share,
    /** @type {string} */ verb,
    /** @type {string} */ half,
  ) => `第 ${place} 名，基元 ${i}：${verb} ${share}；收集时${half}`,
  terms: (
    /** @type {number} */ count,
    /** @type {number} */ n,
    /** @type {string} */ share,
    /** @type {string} */ whole,
  ) =>
    `${count} 项，共 ${n} 项：${whole === DIRECTIONS.to.whole ? `${whole}的 ${share}` : `${share} ${whole}`}`,
};

export const PAIR = {
  title: (/** @type {number} */ i) => `基元 g${i}`,
  chosen: "已选 · ",
  strongest: "这里最强",
  rank: (/** @type {number} */ place) => `这里排第 ${place}`,
  gathered: (/** @type {string} */ half, /** @type {string} */ peak) => `${half} · 峰值 ${peak}`,
  handed: (/** @type {string} */ use, /** @type {string} */ peak) => `平均 ${use} · 峰值 ${peak}`,
  gatheredAlt: (/** @type {number} */ i, /** @type {string} */ facts) => `基元 ${i}，收集：${facts}（单格）`,
  handedAlt: (/** @type {number} */ i, /** @type {string} */ facts) => `基元 ${i}，分配：${facts}`,
};

export const GALLERY = {
  title: (/** @type {number} */ n) => `全部 ${n} 个基元`,
  found: (/** @type {number} */ count) => `找到 ${count} 个`,
  none: (/** @type {string} */ filter) => `没有找到“${filter}”`,
  measuring: "正在测量影响；在此之前按 ρ 排序",
  fewer: "收起",
  all: (/** @type {number} */ n) => `显示全部 ${n} 个`,
  effect: (/** @type {string} */ effect) => `，关闭后预测变化 ${effect} 个百分点`,
  facts: (/** @type {string} */ share, /** @type {string} */ half, /** @type {string} */ use) =>
    `${share}，收集时${half}，使用率 ${use}`,
  tile: (/** @type {number} */ i, /** @type {string} */ facts, /** @type {string} */ card) =>
    `基元 ${i}：${facts}${card ? `。${card}` : ""}`,
  alike: (/** @type {number} */ count, /** @type {number} */ i) =>
    `另有 ${count} 个，与 g${i} 从几乎相同的地方收集`,
};

export const CLIP = {
  play: "播放",
  pause: "暂停",
  at: (/** @type {number} */ frame, /** @type {number} */ frames, /** @type {string} */ time) =>
    `第 ${frame} 帧，共 ${frames} 帧，${time}`,
  moments: (/** @type {string} */ now, /** @type {string} */ most, /** @type {string} */ time) =>
    `现在 ${now} · 最多 ${most}，在 ${time}`,
  tile: (
    /** @type {number} */ frame,
    /** @type {string} */ time,
    /** @type {string} */ share,
    /** @type {string} */ words,
  ) => `第 ${frame} 帧，${time}：${share} ${words}`,
};

export const STEPS = { skip: "跳过", back: "上一步", next: "下一步", done: "完成", tour: "? 导览" };

export const ON_AVERAGE = "（平均）";

/** @param {string} part @param {string} whole */
export const halfFrom = (part, whole) => `一半来自${whole}的 ${part}`;

/** @param {string} share @param {boolean} box */
export const theShare = (share, box) => `${box ? "框内" : "该像素处"} ${share}`;

/** @param {string} column @param {string} top */
export const barsTo = (column, top) => `${column}，满条为 ${top}`;

export const EXCHANGED = {
  most: (/** @type {string} */ cell, /** @type {string} */ peak) =>
    ` · 最多流向${cell}（占其注意力的 ${peak}）`,
  ofTheFrame: "该帧",
  from: {
    half: (/** @type {string} */ part) => `其中一半来自${part}`,
    by: (/** @type {string} */ best) => `主要经由基元 ${best}`,
  },
  to: {
    half: (/** @type {string} */ part) => `其中一半流向${part}`,
    by: (/** @type {string} */ best) => `主要由基元 ${best} 带走`,
  },
};

export const THIRDS = [
  ["左上", "上方", "右上"],
  ["左侧", "中间", "右侧"],
  ["左下", "下方", "右下"],
];
export const mostly = (/** @type {string[]} */ places) => `，主要在${places.join("和")}`;

/** @param {number} most */
export const tooManyPins = (most) => `最多 ${most} 个图钉。请先移除一个。`;

/** @type {Record<string, string>} */
export const GLOSSARY = {
  primitive: "视觉基元 g：模块对整张图片收集的 n 个概括之一，随后再分配给每一个位置。",
  theta: "收集图 θ：每一格对一个基元贡献多少。对所有格求和为 100 %。",
  rho: "分配权重 ρ：一个位置从每个基元接收多少。对所有基元求和为 100 %。",
  carried: "离开此处的全部信息中，由这个基元带走的份额：此处的收集权重 θ，乘以整张图片对该基元的使用率。",
  attention: "有效注意力：一个位置所接收的信息里，经由所有基元合计，有多少是在每一格收集的。求和为 100 %。",
  received: "反过来读的有效注意力：每一格所接收的全部信息里，有多少是在这里收集的。",
  change: "相对改变量：模块所加内容的长度，除以输入的长度。100 % 表示加上的与原来一样多。",
  half: "半数区：装下一张图一半权重的最小区域。对“像素从哪里收集”而言：它一半的信息来自那里。",
  block:
    "部件、物体：这个模块的一格大约有多大。一格是网格上的一个位置，即许多像素组成的方块；比它更小的东西模块看不到。每个模块有自己的基元。",
  peel: "拆解：这张图是许多项之和，每个基元一项。逐项关闭、打开，看每一项加了什么。",
  effect: "影响：关闭这个基元后预测变化多少，以百分点计。",
  relative: "相对：每张图从 0 画到它自己的峰值。只有几乎平坦的图画到均匀值的两倍，好让它看起来也是平的。",
  absolute: "绝对：所有图共用一个尺度，平坦的图看起来就是平的。",
  use: "使用率：一个基元在整张图片上平均被分配多少。",
  stills:
    "影响：关闭一个基元后预测变化多少。每个基元都要让网络再运行一次，视频还要运行全部帧：因此图库只对图片给出。视频的基元可以在“实验”里关闭。",
  moments: "随时间：把每一帧的图加总。对注意力和收集而言，所有时刻合计为 100 %。",
  even: "均值：如果这张图是平坦的，每一格会有多少。低于这个记号，就是少于平均份额。",
};

/** @type {typeof import("./words.js").TOUR} */
export const TOUR = [
  {
    ref: "stage",
    title: "1 · 指向图片",
    text: "亮的地方，就是那个像素的信息被收集的地方。点击固定一个像素；拖动画出一个框。",
    touched: "亮的地方，就是那个像素的信息被收集的地方。移动手指；轻点标记一个像素，长按开始画框。",
  },
  {
    ref: "rank",
    title: "2 · 看它接收了什么",
    text: "一个像素接收的是多个基元的混合，份额最大的排在最前。指向一个基元，看它从哪里收集。",
  },
  {
    ref: "ask",
    title: "3 · 把问题反过来",
    text: "“分配给”显示谁从这个像素接收信息。模块的全部基元在图片下方。",
  },
];
