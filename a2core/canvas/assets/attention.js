/*
 * What the payload holds, as numbers and colours, and the attention that is worked out of it: E, its reverse, ranks.
 *
 * It stands before everything else of the probe canvas in one module, and knows nothing of the page.
 */

// ---------------------------------------------------------------- numbers and words

const THIN = "\u202f";
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const isIndex = (value, below) => Number.isInteger(value) && value >= 0 && value < below;

function percent(share) {
  const p = share * 100;
  if (p >= 9.95) return `${p.toFixed(0)}${THIN}%`;
  if (p >= 0.995) return `${p.toFixed(1)}${THIN}%`;
  if (p >= 0.01) return `${p.toFixed(2)}${THIN}%`;
  return p > 0 ? `<${THIN}0.01${THIN}%` : `0${THIN}%`;
}

const about = (share) => (share >= 0.995 ? "all" : `≈${THIN}${percent(share)}`);

// ---------------------------------------------------------------- colour

// Every eighth entry of the maps of the same names in matplotlib (CC0); linear in between, which is
// within 2 of 255 of the full table; cividis from ten stops of Plotly's. Warm means "gathered from",
// green means "handed out to", blue to yellow "changed".
const COLOURS = {
  magma:
    "0000040303120a0822130d341d114729115a36106b440f7651127c5d177f6a1c81762181832681902a819c2e7faa337d" +
    "b73779c23b75cf4070db476ae55064ee5b5ef4695cf9785dfb8761fd9668fea571feb47bfec287fed194fde0a1fceeb0" +
    "fcfdbf",
  viridis:
    "440154470d6048186a482374472d7b4537814240863e49893b528b375b8d33638d2f6b8e2c728e297a8e26828e23898e" +
    "21918c1f978b1f9f8821a68527ad8131b57b3dbc744cc26c5cc8636ece5881d34d95d840aadc32c0df25d5e21aeae51a" +
    "fde725",
  cividis: "00224e1235703b496c575d6d7071738a8678a59c74c3b369e1cc55fee838",
};
const COLOUR_OF = { attention: "magma", received: "viridis", gather: "magma", distribute: "viridis", change: "cividis" };

/** 256 RGB entries of a colour map as one Uint8Array. */
function colourTable(name) {
  const stops = COLOURS[name].match(/../g).map((hex) => parseInt(hex, 16));
  const last = stops.length / 3 - 1;
  const table = new Uint8Array(768);
  for (let v = 0; v < 256; v++) {
    const at = (v / 255) * last;
    const low = Math.min(last - 1, Math.floor(at));
    for (let c = 0; c < 3; c++) {
      table[3 * v + c] = Math.round(stops[3 * low + c] * (1 - at + low) + stops[3 * low + 3 + c] * (at - low));
    }
  }
  return table;
}
const TABLES = Object.fromEntries(Object.keys(COLOURS).map((name) => [name, colourTable(name)]));

/** How opaque a value is: low values let the picture through, so that it stays the hero. */
const cover = (v, opacity) => opacity * Math.min(1, 0.12 + 0.98 * Math.pow(v, 0.6));

/** 256 packed little-endian RGBA words: a colour map with its opacity baked in. */
function overlayWords(name, opacity) {
  const table = TABLES[name];
  const words = new Uint32Array(256);
  for (let v = 0; v < 256; v++) {
    const alpha = Math.round(255 * cover(v / 255, opacity));
    words[v] = ((alpha << 24) | (table[3 * v + 2] << 16) | (table[3 * v + 1] << 8) | table[3 * v]) >>> 0;
  }
  return words;
}

// ---------------------------------------------------------------- payload

function bytesOf(base64) {
  if (typeof Uint8Array.fromBase64 === "function") return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** uint16 maps with one scale each -> Float32Array (n, N), row major. */
function decodeMaps(packed, n, N) {
  const bytes = bytesOf(packed.data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(n * N);
  for (let i = 0; i < n; i++) {
    const unit = packed.scale[i] / 65535;
    for (let j = i * N, end = j + N; j < end; j++) out[j] = view.getUint16(2 * j, true) * unit;
  }
  return out;
}

/** One block, ready to be asked. Its arrays are decoded at first use and kept. */
class Block {
  constructor(raw, alone) {
    this.raw = raw;
    this.alone = alone; // each frame of a clip was attended to by itself
    this.name = raw.name;
    this.label = raw.label || raw.name;
    this.n = raw.n;
    [this.T, this.h, this.w] = raw.grid;
    this.N = this.T * this.h * this.w;
    this.span = alone ? this.h * this.w : this.N; // positions that a place exchanges information with
    this.reach = Float32Array.from(raw.reach);
    this.use = Float32Array.from(raw.use);
    this.cards = raw.cards || [];
    this.effect = effectOf(raw);
    this.groups = null; // of each primitive, the one it looks like; known once lookAlikes has run
  }

  /**
   * Groups of primitives gathered from nearly the same places: cosine similarity of the gather maps
   * above 0.95 with the most used of the group. A generator, so that a hover never waits for it.
   */
  *lookAlikes() {
    const { n, N, gather } = this;
    const square = (i) => gather.subarray(i * N, i * N + N).reduce((sum, v) => sum + v * v, 0);
    const norms = Float64Array.from({ length: n }, (_, i) => Math.sqrt(square(i)));
    const groups = new Int32Array(n).fill(-1);
    const order = ranking(this.use);
    for (let a = 0; a < n; a++) {
      const i = order[a];
      if (groups[i] >= 0) continue;
      groups[i] = i;
      for (let b = a + 1; b < n; b++) {
        const k = order[b];
        if (groups[k] >= 0) continue;
        let dot = 0;
        for (let x = i * N, y = k * N, end = x + N; x < end; x++, y++) dot += gather[x] * gather[y];
        if (dot > ALIKE * norms[i] * norms[k]) groups[k] = i;
      }
      yield;
    }
    this.groups = groups;
  }

  get gather() {
    return (this._gather ??= decodeMaps(this.raw.gather, this.n, this.N));
  }

  get distribute() {
    return (this._distribute ??= decodeMaps(this.raw.distribute, this.n, this.N));
  }

  /** |Y - X| / |X| at every position: what the block changed, as a share of what came in. */
  get change() {
    return (this._change ??= decodeMaps(this.raw.change, 1, this.N));
  }

  get hasChange() {
    return !!this.raw.change?.data;
  }

  maps(kind) {
    return kind === "gather" ? this.gather : kind === "distribute" ? this.distribute : this.change;
  }

  peak(kind, i) {
    return this.raw[kind].scale[i];
  }

  /**
   * The factors of a direction. "from": rho weights the gather maps. "to": theta weights the
   * distribution maps, and a term's share of all that leaves a position also needs how much of the
   * primitive the whole picture uses.
   */
  factors(direction) {
    return direction === "to"
      ? { weights: this.gather, maps: this.distribute, gain: this.use }
      : { weights: this.distribute, maps: this.gather, gain: null };
  }

  /** How much of primitive i is handed out at time step t, on average over its cells. */
  useAt(i, t) {
    const size = this.h * this.w;
    const at = i * this.N + t * size;
    let sum = 0;
    for (let j = at; j < at + size; j++) sum += this.distribute[j];
    return sum / size;
  }

  /** `mix` over all positions that a place at time step t exchanges information with. */
  mixed(weights, maps, t, out) {
    const first = this.alone ? t * this.span : 0;
    return mix(weights, maps, this.n, this.N, out, first, first + this.span);
  }

  /** The value that absolute scale paints brightest: nine peaks in ten stay below it. */
  ceiling(kind) {
    this._ceilings ??= {};
    if (kind === "change") return 1; // as much added as was there
    const direction = { attention: "from", received: "to" }[kind];
    const peaks = () => (direction ? this.attentionPeaks(direction, 32) : this.raw[kind].scale);
    return (this._ceilings[kind] ??= quantile(peaks(), 0.9));
  }

  /** Peaks of the attention of `count` positions spread over the grid: a mixture of maps is flatter than they. */
  attentionPeaks(direction, count) {
    const { weights, maps } = this.factors(direction);
    const at = new Float32Array(this.n);
    const map = new Float32Array(this.N);
    return Array.from({ length: count }, (_, k) => {
      const p = Math.floor(((k + 0.5) * this.N) / count);
      column(weights, this.n, this.N, p, at);
      return this.mixed(at, maps, Math.floor(p / (this.h * this.w)), map).reduce((a, b) => Math.max(a, b));
    });
  }

  index(cell) {
    return (cell.t * this.h + cell.row) * this.w + cell.col;
  }
}

function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.round(q * (sorted.length - 1))];
}

/** Of each primitive, what the best class gains when it is switched off; null while nobody has measured it. */
function effectOf(raw) {
  return raw.effect?.length === raw.n ? Float32Array.from(raw.effect) : null;
}

class Model {
  constructor(payload) {
    this.key = payload.key;
    this.width = payload.width_px;
    this.height = payload.height_px;
    this.frames = payload.frames;
    this.times = payload.times_s || [0];
    this.alt = payload.alt || "the picture";
    this.blocks = payload.blocks.map((raw) => new Block(raw, payload.joint === false));
    this.measures = payload.measures || []; // what the page works out when somebody sorts by it
    // What a map is a share of, in words.
    this.whole = this.frames.length < 2 ? "the picture" : payload.joint === false ? "the frame" : "the clip";
  }

  block(name) {
    return this.blocks.find((block) => block.name === name) || this.blocks[0];
  }

  cellOf(point, block) {
    return {
      t: clamp(Math.floor(((point.frame + 0.5) * block.T) / this.frames.length), 0, block.T - 1),
      row: clamp(Math.floor((point.y * block.h) / this.height), 0, block.h - 1),
      col: clamp(Math.floor((point.x * block.w) / this.width), 0, block.w - 1),
    };
  }

  /** The cells that a rectangle of pixels covers: rows row0..row1 and columns col0..col1, both ends in. */
  cellsOf(region, block) {
    const low = (px, cells, size) => clamp(Math.floor((px * cells) / size + 1e-6), 0, cells - 1);
    const high = (px, cells, size) => clamp(Math.ceil((px * cells) / size - 1e-6) - 1, 0, cells - 1);
    const { t } = this.cellOf({ frame: region.frame, x: 0, y: 0 }, block);
    const row0 = low(region.y0, block.h, this.height);
    const col0 = low(region.x0, block.w, this.width);
    const row1 = Math.max(row0, high(region.y1, block.h, this.height));
    const col1 = Math.max(col0, high(region.x1, block.w, this.width));
    return { t, row0, col0, row1, col1, count: (row1 - row0 + 1) * (col1 - col0 + 1) };
  }

  /** The rectangle of pixels that two cells span. */
  regionOf(a, b, block) {
    const x = this.width / block.w;
    const y = this.height / block.h;
    return {
      frame: this.pointOf(a, block).frame,
      x0: Math.min(a.col, b.col) * x,
      y0: Math.min(a.row, b.row) * y,
      x1: (Math.max(a.col, b.col) + 1) * x,
      y1: (Math.max(a.row, b.row) + 1) * y,
    };
  }

  /** The pixel at the centre of a cell. */
  pointOf(cell, block) {
    return {
      frame: clamp(Math.floor(((cell.t + 0.5) * this.frames.length) / block.T), 0, this.frames.length - 1),
      x: ((cell.col + 0.5) * this.width) / block.w,
      y: ((cell.row + 0.5) * this.height) / block.h,
    };
  }
}

// ---------------------------------------------------------------- attention

/** Column p of a (n, N) array: what one position holds of each of n maps. */
function column(maps, n, N, p, out) {
  for (let i = 0, at = p; i < n; i++, at += N) out[i] = maps[at];
  return out;
}

/**
 * out_j = sum_i weights_i * maps_ij for first <= j < end, 0 elsewhere. With weights = rho at p and maps = theta this is row p of
 * V^T B, the effective attention; with weights = theta at j and maps = rho it is column j of it.
 */
function mix(weights, maps, n, N, out, first = 0, end = N) {
  out.fill(0);
  for (let i = 0; i < n; i++) {
    const weight = weights[i];
    if (weight === 0) continue;
    for (let j = first, at = i * N + first; j < end; j++, at++) out[j] += weight * maps[at];
  }
  return out;
}

/** Mean and standard deviation, over the cells of a box, of each of n maps. */
function moments(maps, block, cells, mean, spread) {
  for (let i = 0; i < block.n; i++) {
    let sum = 0;
    let squares = 0;
    for (let row = cells.row0; row <= cells.row1; row++) {
      const at = i * block.N + (cells.t * block.h + row) * block.w;
      for (let j = at + cells.col0; j <= at + cells.col1; j++) {
        sum += maps[j];
        squares += maps[j] * maps[j];
      }
    }
    mean[i] = sum / cells.count;
    spread[i] = Math.sqrt(Math.max(0, squares / cells.count - (sum / cells.count) ** 2));
  }
}

/** Peak and reach of a map: reach is exp of the entropy of its shares, in cells. */
function describe(map) {
  let peak = 0;
  let at = 0;
  let sum = 0;
  let entropy = 0;
  for (let j = 0; j < map.length; j++) {
    const v = map[j];
    if (v > peak) {
      peak = v;
      at = j;
    }
    if (v > 0) {
      sum += v;
      entropy -= v * Math.log(v);
    }
  }
  return { peak, at, reach: sum > 0 ? Math.exp(entropy / sum + Math.log(sum)) : 0 };
}

/** Indices by falling value; equal values keep their order, as a stable argsort does. */
function ranking(values) {
  return Array.from(values, (_, i) => i).sort((a, b) => values[b] - values[a] || a - b);
}

