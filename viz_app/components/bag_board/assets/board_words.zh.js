// What the board says beside its markup, in Chinese.

const WORDS = {
  on: "打开",
  off: "关闭",
  switchOn: "打开",
  switchOff: "关闭",
  tile: (i, state, effect) => `基元 ${i}，${state}，一阶影响 ${effect}`,
  now: (i, state) => `基元 ${i}：${state}`,
  effect: (effect, label) => `一阶：对 ${label} 的 logit 为 ${effect}`,
  see: (i) => `在“探索”里看 g${i}`,
};

