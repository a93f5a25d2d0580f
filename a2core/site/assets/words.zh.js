/*
 * What the site says by itself, in Chinese: what words.js exports, under the same names.
 */

export const LANGUAGE = "zh";
export const STOP = "。";

export const MOST_MEGAPIXELS = 64;

export const FAULT = {
  old: "此浏览器无法运行网络：缺少 WebAssembly、worker 或解压功能。屏幕上的图片仍可探索；要用自己的图片，请使用 Chrome 或 Edge 94、Firefox 113、Safari 16.4 或更新的版本。",
  unreachable: "无法取得网络文件。请检查连接，然后重新选择图片。",
  cutOff: "网络的某个文件不完整，或版本不符。请重新载入本页；若仍不行，需要由本站维护者重新生成。",
  memory: "此设备的内存不够。请关闭其他页面，或选择更小的图片、更短的视频。",
  run: "无法在此设备上运行网络",
  picture: "无法在此浏览器中显示：文件已损坏，或格式不受支持。请另存为 JPEG 或 PNG 后重新选择。",
  clip: "无法在此浏览器中播放：文件已损坏，或格式不受支持。请另存为 MP4（H.264）后重新选择。",
  noFile: "这既不是图片，也不是视频。",
  camera: "无法使用摄像头",
  noCamera: "此设备上没有找到摄像头。请改选一张照片。",
  refused: "摄像头未获允许。请在浏览器设置中允许本页使用，再点“摄像头”，或改选一张照片。",
  busy: "摄像头正被另一个程序使用。请关闭它，再点“摄像头”。",
  insecure: "浏览器只在 https 页面上提供摄像头。请联系本站维护者，或改选一张照片。",
  exemplars: "无法取得这些图片。请检查连接，然后重新指向。",
  lesson: "无法取得可移动的部分。各步仍是打开时的样子；请检查连接，然后重新载入本页。",
  page: "无法取得要带走的网页。请检查连接后再试。",
};

/** @param {string} name @param {number} megapixels */
export const tooLarge = (name, megapixels) =>
  `${name} 有 ${Math.round(megapixels)} 百万像素；最多接受 ${MOST_MEGAPIXELS} 百万像素。请缩小后重新选择。`;

/** @param {number} share */
export const fetching = (share) => `正在取网络文件，只需一次：${Math.round(100 * share)} %`;
export const STARTING = "正在启动网络";
/** @param {number} share */
export const tracing = (share) => (share > 0 ? `正在追踪：${Math.round(100 * share)} %` : "正在追踪");
export const READING = "正在读取图片";

/** @param {number} ms @param {number} threads */
export const traced = (ms, threads) =>
  `已在此设备上追踪，用时 ${ms < 950 ? `${Math.round(ms)} 毫秒` : `${(ms / 1000).toFixed(1)} 秒`}，${threads === 0 ? "使用显卡" : threads === 1 ? "单线程" : `${threads} 个线程`}。`;

/** @param {number} rate */
export const liveRate = (rate) => `每秒 ${rate.toFixed(rate < 9.95 ? 1 : 0)} 帧`;
export const LIVE = "指向图片，或轻点以固定一处：它的注意力会跟随画面。";
export const FROZEN = "已定格。摄像头已关闭。";
export const YOUR_CAMERA = "你的摄像头画面";

export const EXPERIMENT = {
  running: "正在运行模块之后的部分",
  nothing: "所有基元都关闭后，权重就无处可分了。请保留一个，或让权重缺失。",
  own: "自己的",
  gone: "那张图片的数值已不再保留。请重新选择它。",
  asWas: "尚未做任何改变。",
  bagOf: (/** @type {string} */ title) => `“${title}”的基元袋`,
  changed: (/** @type {string[]} */ changes, /** @type {string} */ moved) =>
    `${changes.join("，")}。${moved}`,
};

/** @param {string} title */
export const sampleSaid = (title) => (title === "Cat" ? "猫" : title);

/** @param {number} i @param {number} factor */
export const factorSaid = (i, factor) =>
  factor === 0 ? `关闭 g${i}` : `g${i} × ${Number(factor.toFixed(2))}`;

/** @param {number} i */
export const alone = (i) => `只留 g${i}`;

/** @param {number} moved */
export const movedSaid = (moved) =>
  `模块分配出去的内容改变了其长度的 ${(100 * moved).toFixed(moved < 0.0995 ? 1 : 0)} %。`;

export const ELSEWHERE = {
  said: (/** @type {number} */ photos) =>
    `在他人的 ${photos} 张图片中，你所看的基元在某一处分配得最多的那些；数字是它在那一处的混合中所占的份额。`,
  which: (/** @type {number} */ i, /** @type {string} */ called) => `基元 g${i}${called && `，${called}`}`,
  somebody: "未具名者",
  hint: (/** @type {string} */ author, /** @type {string} */ licence, /** @type {string} */ link) =>
    `照片：${author}，${licence}，经裁剪并缩小。${link}`,
  tap: "点选一张图片，查看它属于谁。",
  none: "没有给出这个基元的图片。",
  // 其中的 {author} 和 {licence} 是链接。
  whose: "照片：{author}，{licence}，经裁剪并缩小。",
  credit: "{author}，{licence}",
};

export const LINK = {
  copied: "链接已复制。它会按现在的样子打开示例图片。",
  own: "链接装不下你的图片，图片只留在此设备上：请改为保存网页。",
  refused: "浏览器不允许本页复制；上方地址栏里的就是链接。",
};
