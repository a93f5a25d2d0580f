/*
 * The seven steps: what each prints and draws for a lesson and a choice in it. Pure; the same to the printed digit as
 * `a2core/lesson/steps`, whose files have these names (tests/a2core/site/lesson.test.js).
 */

import { percent, ranking } from "../../../canvas/assets/numbers.js";
import { argmax, dot, lengthOf, peakOf, softmax, sumOf } from "./lesson.js";
import { four, whole } from "./printed.js";

/** @typedef {import("./lesson.js").Lesson} Lesson */
/** @typedef {import("./lesson.js").Choice} Choice */
/** @typedef {import("./drawn.js").MapOf} MapOf */
/** @typedef {import("./drawn.js").Plot} Plot */
/**
 * @typedef {object} Screen of a step
 * @property {Record<string, string>} numbers printed, by what each is (`data-what`)
 * @property {MapOf} overlay over the picture
 * @property {MapOf[]} maps in the order of the page
 * @property {Plot[]} plots likewise
 * @property {string} [says] which of its sentences holds (`data-when`)
 * @property {number} [inSum] how many of the maps are of terms in the sum
 */

const FLAT_FROM = 100; // a temperature at which softmax is as good as plain averaging
const HEAVIEST = 60; // cells that have a bar
const LEADERS = 6; // primitives that are shown by their maps

/** @param {Lesson} lesson @param {number} p @param {string} prefix */
const place = (lesson, p, prefix = "") => ({
  [`${prefix}row`]: whole(Math.floor(p / lesson.cols)),
  [`${prefix}column`]: whole(p % lesson.cols),
});

/** @param {Lesson} lesson @param {Choice} choice @returns {Screen} */
function features(lesson, { position, channel }) {
  const column = lesson.column("features", position);
  return {
    numbers: {
      ...place(lesson, position),
      channel: whole(channel),
      x_kp: four(column[channel]),
      length_x: four(lengthOf(column)),
    },
    overlay: { values: lesson.row("features", channel), what: "value" },
    maps: [],
    plots: [{ kind: "bars", values: column, chosen: channel }],
  };
}

/** @param {Lesson} lesson @param {Choice} choice @returns {Screen} */
function projections(lesson, { position, primitive, a_channel }) {
  const x = lesson.column("normed", position);
  const logits = lesson.row("theta_logits", primitive);
  return {
    numbers: {
      ...place(lesson, position),
      primitive: whole(primitive),
      a_channel: whole(a_channel),
      phi_kp: four(lesson.projected("phi", a_channel, x)),
      theta_logits_ip: four(lesson.projected("theta", primitive, x)),
      rho_logits_ip: four(lesson.projected("rho", primitive, x)),
    },
    overlay: { values: logits, what: "value" },
    maps: [
      { values: lesson.row("phi", a_channel), what: "value" },
      { values: logits, what: "value" },
      { values: lesson.row("rho_logits", primitive), what: "value" },
    ],
    plots: [],
  };
}

/** @param {Lesson} lesson @param {Choice} choice @returns {Screen} */
function whereToLook(lesson, { primitive, temperature }) {
  const logits = lesson.row("theta_logits", primitive);
  const theta = softmax(logits, temperature);
  const at = argmax(theta);
  const peak = theta[at];
  const sorted = Float64Array.from(theta).sort().reverse();
  const winners = theta.filter((share) => share === peak).length;
  return {
    numbers: {
      primitive: whole(primitive),
      ...place(lesson, at, "peak_"),
      winners: whole(winners),
      peak: four(peak),
      one_over_N: four(1 / lesson.count),
      half: whole(halfOf(sorted)),
      sum_theta: four(sumOf(theta)),
    },
    overlay: { values: theta, what: "gather" },
    maps: [
      { values: logits, what: "value" },
      { values: theta, what: "gather" },
    ],
    plots: [
      {
        kind: "bars",
        values: sorted.slice(0, HEAVIEST).map((share) => share / Math.max(peak, 1e-300)),
        outline: new Float64Array(Math.min(HEAVIEST, lesson.count)).fill(1 / lesson.count / peak),
      },
    ],
    says: saidOf(temperature, winners),
  };
}

/** How many of the largest hold half; as `half_area` of a2core has it. @param {Float64Array} sorted largest first */
function halfOf(sorted) {
  let [held, half] = [0, 0];
  while (held < 0.5 * (1 - 1e-6)) held += sorted[half++];
  return half;
}

/** @param {number} temperature @param {number} winners */
function saidOf(temperature, winners) {
  if (temperature === 0) return winners > 1 ? "zero_shared" : "zero";
  if (temperature >= FLAT_FROM) return "flat";
  if (temperature === 1) return "one";
  return temperature < 1 ? "colder" : "warmer";
}

/** @param {Lesson} lesson @param {Choice} choice @returns {Screen} */
function gather(lesson, { primitive, reached: j }) {
  const theta = softmax(lesson.row("theta_logits", primitive));
  const rows = Array.from({ length: lesson.m }, (_, k) => lesson.row("phi", k));
  const g = Float64Array.from(rows, (a) => dot(a, theta));
  const mean = Float64Array.from(rows, (a) => sumOf(a) / lesson.count);
  const soFar = Float64Array.from(rows, (a) => dot(a.subarray(0, j + 1), theta));
  const k = argmax(g.map(Math.abs));
  const missing = (/** @type {Float64Array} */ other) =>
    lengthOf(g.map((value, q) => value - other[q])) / lengthOf(g);
  let collected = 0;
  const held = theta.map((share) => (collected += share));
  const reach = Math.max(peakOf(g), peakOf(mean), peakOf(soFar));
  return {
    numbers: {
      primitive: whole(primitive),
      ...place(lesson, j, "j_"),
      theta_ij: four(theta[j]),
      collected: percent(held[j]),
      k: whole(k),
      sum_k: four(soFar[k]),
      g_k: four(g[k]),
      error_left: percent(missing(soFar)),
      average_off: percent(missing(mean)),
    },
    overlay: { values: theta.map((share, at) => (at <= j ? share : 0)), what: "gather" },
    maps: [],
    plots: [
      { kind: "bars", values: soFar, outline: g, reach, chosen: k },
      { kind: "bars", values: mean, outline: g, reach },
      { kind: "curve", values: held, compare: held.map((_, at) => (at + 1) / held.length), at: j },
    ],
  };
}

/** @param {Lesson} lesson @param {Choice} choice @returns {Screen} */
function whatToTake(lesson, { position, primitive }) {
  const logits = lesson.column("rho_logits", position);
  const rho = softmax(logits);
  const handed = Float64Array.from({ length: lesson.count }, (_, p) =>
    p === position ? rho[primitive] : softmax(lesson.column("rho_logits", p))[primitive],
  );
  const wrong = lesson.wrongSums;
  const entropy = rho.reduce((sum, share) => (share > 0 ? sum - share * Math.log(share) : sum), 0);
  return {
    numbers: {
      ...place(lesson, position),
      primitive: whole(primitive),
      rho_ip: four(rho[primitive]),
      rank: whole(ranking(rho).indexOf(primitive) + 1),
      effective: four(Math.exp(entropy)),
      sum_rho: four(sumOf(rho)),
      right_sum: four(sumOf(rho)),
      wrong_sum: four(wrong[position]),
      wrong_least: four(Math.min(...wrong)),
      wrong_largest: four(Math.max(...wrong)),
    },
    overlay: { values: handed, what: "distribute" },
    maps: [{ values: wrong, what: "distribute" }],
    plots: [
      { kind: "bars", values: logits, chosen: primitive },
      { kind: "bars", values: rho, chosen: primitive },
    ],
  };
}

/** @param {Lesson} lesson @param {Choice} choice @returns {Screen} */
function distribute(lesson, { position, terms }) {
  const rho = softmax(lesson.column("rho_logits", position));
  const order = ranking(rho);
  const bag = lesson.table("primitives");
  const z = Float64Array.from({ length: lesson.m }, (_, k) =>
    dot(bag.subarray(k * lesson.n, (k + 1) * lesson.n), rho),
  );
  const partial = new Float64Array(lesson.m);
  /** @type {number[]} */
  const errors = [];
  let soFar = partial;
  order.forEach((i, index) => {
    for (let k = 0; k < lesson.m; k++) partial[k] += bag[k * lesson.n + i] * rho[i];
    errors.push(lengthOf(z.map((value, k) => value - partial[k])) / lengthOf(z));
    if (index === terms - 1) soFar = partial.slice();
  });
  const used = order.slice(0, terms);
  const k = argmax(z.map(Math.abs));
  const maps = order.slice(0, LEADERS).map((i) => softmax(lesson.row("theta_logits", i)));
  const attention = new Float64Array(lesson.count);
  used.forEach((i, index) => {
    const theta = maps[index] ?? softmax(lesson.row("theta_logits", i));
    for (let p = 0; p < attention.length; p++) attention[p] += rho[i] * theta[p];
  });
  const left = Float64Array.of(1, ...errors);
  const most = Math.max(1, ...errors);
  return {
    numbers: {
      ...place(lesson, position),
      terms: whole(terms),
      shares_so_far: percent(sumOf(used.map((i) => rho[i]))),
      k: whole(k),
      sum_k: four(soFar[k]),
      z_k: four(z[k]),
      error_left: percent(errors[terms - 1]),
      ...Object.fromEntries(
        order.slice(0, LEADERS).flatMap((i, index) => [
          [`leader_${index}`, whole(i)],
          [`leader_share_${index}`, percent(rho[i])],
        ]),
      ),
    },
    overlay: { values: attention, what: "attention" },
    maps: maps.map((values) => ({ values, what: /** @type {const} */ ("gather") })),
    plots: [
      { kind: "bars", values: soFar, outline: z, reach: Math.max(peakOf(z), peakOf(soFar)), chosen: k },
      { kind: "curve", values: left.map((error) => Math.min(error / most, 1)), at: terms },
    ],
    inSum: terms,
  };
}

/** @param {Lesson} lesson @param {Choice} choice @returns {Screen} */
function add(lesson, { position: p, channel: k }) {
  const { added, change } = lesson.added;
  const { count } = lesson;
  const x = Float64Array.from(lesson.row("features", k));
  const delta = added.subarray(k * count, (k + 1) * count);
  const y = x.map((value, at) => value + delta[at]);
  const most = argmax(change);
  const high = Math.max(peakOf(x), peakOf(y));
  return {
    numbers: {
      ...place(lesson, p),
      ...place(lesson, most, "most_"),
      channel: whole(k),
      x_kp: four(x[p]),
      d_kp: four(delta[p]),
      y_kp: four(y[p]),
      change: percent(change[p]),
      most_change: percent(change[most]),
    },
    overlay: { values: change, what: "change" },
    maps: [
      { values: x, what: "value", high },
      { values: delta, what: "value" },
      { values: y, what: "value", high },
    ],
    plots: [
      {
        kind: "bars",
        values: Float64Array.from({ length: lesson.c }, (_, row) => added[row * count + p]),
        chosen: k,
      },
    ],
  };
}

const STEPS = [features, projections, whereToLook, gather, whatToTake, distribute, add];
export const STEP_COUNT = STEPS.length;

/** Step 1 to 7. @param {number} step @param {Lesson} lesson @param {Choice} choice */
export const screenOf = (step, lesson, choice) => STEPS[step - 1](lesson, choice);
