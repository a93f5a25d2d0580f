/*
 * A picture as the network takes it: its size, its pixels at that size, its numbers. The same as
 * a2core/tracing/model_input.py does with OpenCV, to one level of 255.
 */

/**
 * (height, width) of what the network sees: long side `size`, both sides multiples of `step`.
 * @param {number} height
 * @param {number} width
 * @param {number} size
 * @param {number} step
 */
export function inputShape(height, width, size, step) {
  const cells = size / Math.max(height, width) / step;
  const side = (/** @type {number} */ px) => Math.max(1, Math.floor(px * cells + 0.5)) * step;
  return { height: side(height), width: side(width) };
}

/** To the nearest whole number, a half to the even one, as NumPy does. @param {number} value */
export function rint(value) {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** @typedef {{ from: Int32Array, at: Int32Array, weight: Float64Array }} Taps of each output those from..from+1 */

/** @param {number[][]} rows of [index, weight] @param {number} last index @returns {Taps} */
function taps(rows, last) {
  const from = new Int32Array(rows.length + 1);
  const flat = rows.flatMap((row, k) => {
    from[k + 1] = from[k] + row.length / 2;
    return row;
  });
  const count = flat.length / 2;
  const at = Int32Array.from({ length: count }, (_, k) => Math.min(last, Math.max(0, flat[2 * k])));
  return { from, at, weight: Float64Array.from({ length: count }, (_, k) => flat[2 * k + 1]) };
}

/** Each output is the mean of what it covers. @param {number} size @param {number} out */
function areaTaps(size, out) {
  const scale = size / out;
  const rows = Array.from({ length: out }, (_, k) => {
    const start = k * scale;
    const end = start + scale;
    const width = Math.min(scale, size - start);
    const first = Math.ceil(start);
    const after = Math.min(Math.floor(end), size - 1);
    const begin = Math.min(first, after);
    const row = [];
    if (begin - start > 1e-3) row.push(begin - 1, Math.fround((begin - start) / width));
    for (let j = begin; j < after; j++) row.push(j, Math.fround(1 / width));
    const last = Math.min(end - after, 1, width);
    if (end - after > 1e-3) row.push(after, Math.fround(last / width));
    return row;
  });
  return taps(rows, size - 1);
}

/** What stands in for areas where one side grows. @param {number} size @param {number} out */
function linearTaps(size, out) {
  const scale = size / out;
  const rows = Array.from({ length: out }, (_, k) => {
    const at = Math.floor(k * scale);
    const rest = k + 1 - (at + 1) / scale;
    const share = rest <= 0 ? 0 : rest - Math.floor(rest);
    return [at, 1 - share, at + 1, share];
  });
  return taps(rows, size - 1);
}

/** @param {number} size @param {number} out */
function cubicTaps(size, out) {
  const A = -0.75;
  const rows = Array.from({ length: out }, (_, k) => {
    const at = ((k + 0.5) * size) / out - 0.5;
    const low = Math.floor(at);
    const x = at - low;
    const y = 1 - x;
    const w = [
      ((A * (x + 1) - 5 * A) * (x + 1) + 8 * A) * (x + 1) - 4 * A,
      ((A + 2) * x - (A + 3)) * x * x + 1,
      ((A + 2) * y - (A + 3)) * y * y + 1,
    ];
    w.push(1 - w[0] - w[1] - w[2]);
    return w.flatMap((weight, j) => [low - 1 + j, weight]);
  });
  return taps(rows, size - 1);
}

/**
 * Pixels (H, W, 4) RGBA, as a canvas has them, as RGB (height, width, 3) of another size: averaged when smaller,
 * bicubic when larger.
 * @param {ArrayLike<number>} rgba
 * @param {number} high
 * @param {number} wide
 * @param {number} height
 * @param {number} width
 */
export function resized(rgba, high, wide, height, width) {
  const out = new Uint8Array(height * width * 3);
  if (high === height && wide === width) {
    for (let p = 0, q = 0; q < out.length; p += 4, q += 3) {
      out[q] = rgba[p];
      out[q + 1] = rgba[p + 1];
      out[q + 2] = rgba[p + 2];
    }
    return out;
  }
  const shrinks = height * width < high * wide;
  const both = height <= high && width <= wide;
  const how = !shrinks ? cubicTaps : both ? areaTaps : linearTaps;
  const across = how(wide, width);
  const down = how(high, height);
  const halved = both && high === 2 * height && wide === 2 * width; // OpenCV then rounds a half up
  // Means are added up in 32 bits, as OpenCV does; curves in 64.
  const Kind = shrinks ? Float32Array : Float64Array;
  const rows = acrossOnly(rgba, high, wide, across, new Kind(high * width * 3));
  const stride = width * 3;
  for (let k = 0; k < height; k++) {
    const sum = new Kind(stride);
    for (let t = down.from[k]; t < down.from[k + 1]; t++) {
      const share = down.weight[t];
      const start = down.at[t] * stride;
      for (let x = 0; x < stride; x++) {
        const part = share * rows[start + x];
        sum[x] += shrinks ? Math.fround(part) : part;
      }
    }
    for (let x = 0; x < stride; x++) {
      const value = halved ? Math.floor(sum[x] + 0.5) : rint(sum[x]);
      out[k * stride + x] = Math.min(255, Math.max(0, value));
    }
  }
  return out;
}

/**
 * Each row of pixels at its new width, (high, width, 3).
 * @template {Float32Array | Float64Array} Rows
 * @param {ArrayLike<number>} rgba
 * @param {number} high
 * @param {number} wide
 * @param {Taps} taps
 * @param {Rows} rows zeros
 */
function acrossOnly(rgba, high, wide, { from, at, weight }, rows) {
  const narrow = rows instanceof Float32Array;
  const width = from.length - 1;
  for (let y = 0, q = 0; y < high; y++) {
    const start = y * wide * 4;
    for (let k = 0; k < width; k++, q += 3) {
      for (let t = from[k], end = from[k + 1]; t < end; t++) {
        const p = start + at[t] * 4;
        for (let c = 0; c < 3; c++) {
          const part = weight[t] * rgba[p + c];
          rows[q + c] += narrow ? Math.fround(part) : part;
        }
      }
    }
  }
  return rows;
}

/**
 * Frames (T, H, W, 3) as the network takes them, (T, 3, H, W).
 * @param {Uint8Array[]} frames
 * @param {number[]} mean
 * @param {number[]} std
 */
export function standardised(frames, mean, std) {
  const size = frames[0].length / 3;
  const out = new Float32Array(frames.length * 3 * size);
  frames.forEach((rgb, t) => {
    for (let c = 0; c < 3; c++) {
      const less = Math.fround(Math.fround(mean[c]) * 255);
      const by = Math.fround(Math.fround(std[c]) * 255);
      for (let p = c, q = (t * 3 + c) * size; p < rgb.length; p += 3, q++)
        out[q] = Math.fround(rgb[p] - less) / by;
    }
  });
  return out;
}
