/*
 * Maps over a picture, enlarged or small, and the few helpers for elements that the probe canvas is built of.
 *
 * It stands between attention.js and canvas.js in one module.
 */

// ---------------------------------------------------------------- painting

/** Where each output pixel of a line of `cells` x `k` pixels lies between cell centres. */
function lineTable(cells, k) {
  const size = cells * k;
  const low = new Int32Array(size);
  const part = new Float32Array(size);
  for (let x = 0; x < size; x++) {
    const at = clamp((x + 0.5) / k - 0.5, 0, cells - 1);
    low[x] = Math.min(Math.floor(at), Math.max(0, cells - 2));
    part[x] = at - low[x];
  }
  return { low, part, step: cells > 1 ? 1 : 0 };
}

/** Enlarges h x w maps k times, bilinear with half-pixel centres, into values of 0..255. */
class Enlarger {
  constructor(h, w, k) {
    this.h = h;
    this.w = w;
    this.k = k;
    this.width = w * k;
    this.height = h * k;
    this.xs = lineTable(w, k);
    this.ys = lineTable(h, k);
    this.rows = new Float32Array(h * this.width);
    this.values = new Uint8Array(this.width * this.height);
  }

  /** maps[offset ...] is one h x w map; `top` is the value that becomes 255. */
  enlarge(maps, offset, top) {
    const { h, w, width, height, xs, ys, rows, values } = this;
    const gain = top > 0 ? 255 / top : 0;
    for (let r = 0; r < h; r++) {
      const from = offset + r * w;
      const to = r * width;
      for (let x = 0; x < width; x++) {
        const at = from + xs.low[x];
        const a = maps[at];
        rows[to + x] = (a + (maps[at + xs.step] - a) * xs.part[x]) * gain + 0.5;
      }
    }
    for (let y = 0; y < height; y++) {
      const a = ys.low[y] * width;
      const b = a + ys.step * width;
      const part = ys.part[y];
      const to = y * width;
      for (let x = 0; x < width; x++) {
        const v = rows[a + x] + (rows[b + x] - rows[a + x]) * part;
        values[to + x] = v < 255 ? v : 255;
      }
    }
    return values;
  }
}

/** Paints small maps over a grey miniature of the picture: list, pair and gallery. */
class Miniature {
  constructor(h, w, longSide) {
    this.lens = new Enlarger(h, w, Math.max(1, Math.round(longSide / Math.max(h, w))));
    this.width = this.lens.width;
    this.height = this.lens.height;
    this.grey = new Uint8Array(this.width * this.height).fill(60);
    this.picture = null;
  }

  setPicture(picture) {
    if (this.picture === picture) return;
    this.picture = picture;
    const canvas = document.createElement("canvas");
    canvas.width = this.width;
    canvas.height = this.height;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, 0, 0, this.width, this.height);
    const { data } = pen.getImageData(0, 0, this.width, this.height);
    for (let j = 0; j < this.grey.length; j++) {
      this.grey[j] = 0.55 * (0.299 * data[4 * j] + 0.587 * data[4 * j + 1] + 0.114 * data[4 * j + 2]) + 14;
    }
  }

  /** `low` is the colour channel in the lowest byte: 0 for a canvas (RGBA), 2 for a bitmap (BGRA). */
  render(words, maps, offset, top, colour, low) {
    const values = this.lens.enlarge(maps, offset, top);
    const { grey } = this;
    const table = TABLES[colour];
    const high = 2 - low;
    for (let j = 0; j < values.length; j++) {
      const v = values[j];
      const a = MINI_COVER[v];
      const g = grey[j] * (1 - a);
      words[j] =
        (255 << 24) |
        ((g + table[3 * v + high] * a) << 16) |
        ((g + table[3 * v + 1] * a) << 8) |
        (g + table[3 * v + low] * a);
    }
  }

  /** One map as an ImageData, which the next call overwrites. */
  image(maps, offset, top, colour) {
    this.pixels ??= new ImageData(this.width, this.height);
    this.render(new Uint32Array(this.pixels.data.buffer), maps, offset, top, colour, 0);
    return this.pixels;
  }

  paint(canvas, maps, offset, top, colour) {
    if (canvas.width !== this.width || canvas.height !== this.height) {
      canvas.width = this.width;
      canvas.height = this.height;
    }
    canvas.getContext("2d").putImageData(this.image(maps, offset, top, colour), 0, 0);
  }

  /**
   * Into an <img>, as an uncompressed bitmap. A canvas would cost the browser a layer of its own in
   * every frame, and there are dozens of these.
   */
  show(img, maps, offset, top, colour) {
    const words = new Uint32Array(this.width * this.height);
    this.render(words, maps, offset, top, colour, 2);
    const header = new DataView(new ArrayBuffer(54));
    const put = (at, value) => header.setInt32(at, value, true);
    header.setUint16(0, 0x424d);
    put(2, 54 + words.byteLength);
    put(10, 54);
    put(14, 40);
    put(18, this.width);
    put(22, -this.height); // top row first
    header.setUint16(26, 1, true);
    header.setUint16(28, 32, true);
    put(34, words.byteLength);
    forget(img);
    img.src = URL.createObjectURL(new Blob([header, words], { type: "image/bmp" }));
  }
}

/** Gives back what an <img> of `show` holds. */
function forget(img) {
  if (img.src !== NOTHING) URL.revokeObjectURL(img.src);
}
// One clear pixel. Without a source an <img> is drawn as a broken one, and one that waits for its first, too.
const NOTHING = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
const MINI_COVER = Float32Array.from({ length: 256 }, (_, v) => cover(v / 255, 0.92));

// ---------------------------------------------------------------- small DOM helpers

function setText(node, text) {
  if (node._text !== text) {
    node._text = text;
    node.textContent = text;
  }
}

function setAttr(node, name, value) {
  const cache = (node._attrs ??= {});
  if (cache[name] !== value) {
    cache[name] = value;
    node.setAttribute(name, value);
  }
}

function picture() {
  const img = document.createElement("img");
  img.alt = "";
  img.src = NOTHING;
  img.decoding = "sync";
  img.draggable = false;
  return img;
}

/** Only one of the nodes is in the tab order; arrow keys reach the others. */
function rove(nodes, active) {
  for (const node of nodes) node.tabIndex = node === active ? 0 : -1;
}

function make(tag, className, parent) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (parent) parent.append(node);
  return node;
}

let unique = 0;

/** A segmented control of native radio buttons: arrow keys and labels come for free. */
function segmented(host, options, onChange) {
  // An option with a term has its explanation from the glossary instead of a title.
  const name = `a2c-${++unique}`;
  const inputs = new Map();
  host.replaceChildren();
  for (const { value, text, detail, title, term } of options) {
    const label = make("label", "", host);
    if (term) label.dataset.term = term;
    else if (title) label.title = title;
    const input = make("input", "", label);
    input.type = "radio";
    input.name = name;
    input.value = value;
    input.addEventListener("change", () => onChange(value));
    const words = make("span", "", label);
    words.textContent = text;
    if (detail) make("small", "", words).textContent = ` ${detail}`;
    inputs.set(value, input);
  }
  host.hidden = options.length < 2;
  return (value) => {
    const input = inputs.get(value);
    if (input && !input.checked) input.checked = true;
  };
}

/** Runs at once, then at most every `wait_ms`, always ending with the latest value. */
function latest(send, wait_ms) {
  let timer = 0;
  let waiting = null;
  const tick = () => {
    timer = 0;
    if (waiting !== null) {
      const value = waiting;
      waiting = null;
      timer = setTimeout(tick, wait_ms);
      send(value);
    }
  };
  return {
    now(value) {
      waiting = value;
      if (!timer) tick();
    },
    later(value) {
      waiting = value;
      clearTimeout(timer);
      timer = setTimeout(tick, wait_ms);
    },
    cancel() {
      clearTimeout(timer);
      timer = 0;
      waiting = null;
    },
  };
}

