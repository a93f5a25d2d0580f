/*
 * Experiments: a factor for each primitive, the weights that follow, and what they did to the answer. The same
 * arithmetic as a2core/tracing/factors.py and outcome.py.
 */

const TINY = 1.1754943508222875e-38; // the smallest float32 that is not nearly zero

/**
 * What each primitive is weighed with, (n, N).
 * @param {Float32Array} distribute (n, N)
 * @param {ArrayLike<number>} factors (n,)
 * @param {boolean} renormalise
 */
export function changedWeights(distribute, factors, renormalise) {
  const n = factors.length;
  const N = distribute.length / n;
  const out = new Float32Array(distribute.length);
  for (let j = 0; j < N; j++) {
    let sum = 1;
    if (renormalise) {
      sum = 0;
      for (let i = 0; i < n; i++) sum += factors[i] * Math.max(distribute[i * N + j], TINY);
    }
    for (let i = 0; i < n; i++) {
      const own = distribute[i * N + j];
      out[i * N + j] = (factors[i] * (renormalise ? Math.max(own, TINY) : own)) / sum;
    }
  }
  return out;
}

/** Probabilities of logits (T, classes), their mean over the frames. @param {Float32Array} logits @param {number} classes */
export function probabilities(logits, classes) {
  const frames = logits.length / classes;
  const mean = new Float64Array(classes);
  for (let t = 0; t < frames; t++) {
    const row = logits.subarray(t * classes, (t + 1) * classes);
    const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const powers = Float64Array.from(row, (value) => Math.exp(value - top));
    const sum = powers.reduce((a, b) => a + b, 0);
    for (let k = 0; k < classes; k++) mean[k] += powers[k] / sum / frames;
  }
  return mean;
}

/** The indices of the `count` best. @param {Float64Array} shares @param {number} count */
export function best(shares, count) {
  return Array.from(shares.keys())
    .sort((a, b) => shares[b] - shares[a] || a - b)
    .slice(0, count);
}

/** log(p / (1 - p)) @param {number} p */
const logOdds = (p) => Math.log(Math.max(p, 1e-300)) - Math.log(Math.max(1 - p, 1e-300));

/**
 * The classes among the best before or after, in the order of what they were before.
 * @param {Float64Array} before
 * @param {Float64Array} after
 * @param {string[]} labels
 */
export function shifts(before, after, labels, count = 5) {
  const among = [...new Set([...best(before, count), ...best(after, count)])];
  among.sort((a, b) => before[b] - before[a]);
  return among.map((k) => ({
    label: labels[k],
    before: before[k],
    after: after[k],
    odds: logOdds(after[k]) - logOdds(before[k]),
  }));
}

/** |b - a| / |a| over all of them. @param {Float32Array} a @param {Float32Array} b */
export function movedBy(a, b) {
  let difference = 0;
  let base = 0;
  for (let k = 0; k < a.length; k++) {
    difference += (b[k] - a[k]) ** 2;
    base += a[k] ** 2;
  }
  return Math.sqrt(difference / Math.max(base, 1e-24));
}
