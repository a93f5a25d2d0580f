// What the board says beside its markup. In Chinese: board_words.zh.js, which stands in the place of this file.

const WORDS = {
  on: "on",
  off: "off",
  switchOn: "Switch on",
  switchOff: "Switch off",
  tile: (i, state, effect) => `Primitive ${i}, ${state}, first-order effect ${effect}`,
  now: (i, state) => `Primitive ${i} ${state}`,
  effect: (effect, label) => `first order: ${effect} logit for ${label}`,
  see: (i) => `See g${i} on Explore`,
};

