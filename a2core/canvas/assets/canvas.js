/*
 * The probe canvas: one picture, the attention of one pixel, and the primitives behind it.
 *
 * It answers every hover by itself. The page sends the payload once per trace; from then on
 * E(p, j) = sum_i rho_ip * theta_ij is computed here for the pointed cell p, O(n N), once a frame.
 * Nothing goes to the server but a pinned pixel, a chosen primitive or a changed setting.
 *
 * No Streamlit in here except the thin default export at the end, and no build step: the same file
 * is embedded in the app and in the offline page.
 *
 * Words: a *cell* is one position (t, row, col) of a block's grid and covers the pixels
 * [col W/w, (col+1) W/w) x [row H/h, (row+1) H/h) of the model input; the value of a map sits at the
 * centre of its cell. A *point* is a pixel of the model input with a time step; it is what the probe
 * remembers, so that changing the block finds the same place on another grid.
 */

const OVERLAY_SIDE_PX = 256; // long side of the overlay; the browser enlarges it, bilinear again, to the stage
const PAIR_EVERY_MS = 120; // at most this often while the mouse moves
const SORTS = {
  rho: { text: "ρ at the pixel", title: "Most received by the pixel first" },
  reach: { text: "reach", term: "reach" },
  use: { text: "use", term: "use" },
  effect: { text: "effect", title: "Changes the prediction most when switched off first" },
};
const MAX_PINS = 4;
const ALIKE = 0.95;
const SLICE_MS = 4; // of background work between two events
const TILES_MS = 8; // of drawing tiles between two events
const PIN_ROWS = 4; // of each pin in the comparison
const POINTS = "\u202fpts";

/** A difference of shares in points of percent, with its sign. */
function points(share) {
  const p = Math.abs(share * 100);
  const text = p >= 9.95 ? p.toFixed(0) : p.toFixed(1);
  return Number(text) === 0 ? "±0" : `${share > 0 ? "+" : "−"}${text}`;
}

const SETTINGS = {
  opacity: (v) => typeof v === "number" && v >= 0 && v <= 1,
  scale: (v) => v === "relative" || v === "absolute",
  sort: (v) => v in SORTS,
  tiles: (v) => v === "gather" || v === "distribute",
  layer: (v) => ["attention", "gather", "distribute", "change"].includes(v),
  direction: (v) => v === "from" || v === "to",
  presentation: (v) => typeof v === "boolean",
  speed: (v) => v in SPEEDS,
};
const HOLD_MS = 450; // a touch this long begins a box
const DRAG_PX = 6; // the mouse has to go this far before a press becomes a box

/** What each direction is called, everywhere; nobody may mistake one for the other. */
const DIRECTIONS = {
  from: {
    what: "Where this pixel’s information was gathered from",
    whatBox: "Where the box’s information was gathered from, on average",
    list: "What this pixel receives",
    listBox: "What the box receives, on average",
    column: "share received, ρ",
    verb: "received",
    colour: "brighter: more comes from there",
    unit: "attention per cell",
    all: "same for all pixels",
    whole: "of the attention",
    hint: "Move over the picture: it lights up where that pixel’s information was gathered from. Click to hold it",
  },
  to: {
    what: "Who receives information from this pixel",
    whatBox: "Who receives information from the box",
    list: "What carries this pixel’s information away",
    listBox: "What carries the box’s information away",
    column: "share carried, θ · use",
    verb: "carried",
    colour: "brighter: takes more from here",
    unit: "share of a cell’s attention",
    all: "same for all pixels",
    whole: "of what leaves here",
    hint: "Move over the picture: it lights up who receives information from that pixel. Click to hold it",
  },
};

class Probe {
  constructor(root, payload, { view = {}, onPin = () => {}, onView = () => {} }) {
    this.root = root;
    this.ui = {};
    for (const node of root.querySelectorAll("[data-ref]")) this.ui[node.dataset.ref] = node;
    this.state = {
      block: null, // Block
      point: null, // the resting or pinned point: what shows when nothing is hovered
      pinned: false, // whether `point` is a pin
      pins: [], // up to four points, in the order of their numbers
      active: 0, // which of them is `point`
      hover: null, // point under the mouse, or moved to by the keyboard
      primitive: null, // chosen
      preview: null, // {i, kind}: under the mouse in the list, the pair or the gallery
      opacity: 0.75,
      scale: "relative",
      sort: "rho",
      tiles: "gather",
      layer: "attention",
      presentation: false, // large type, no controls
      direction: "from", // "from": where does it get its information; "to": who receives from it
      region: null, // a rectangle of pixels: the box that stands instead of a resting point
      peel: false, // taking the map apart into its terms
      terms: { mode: "all", k: 3, flips: new Set() }, // which terms the map adds up: a rule and its exceptions
      frame: 0, // the frame on show
      still: 0, // the frame that the small maps are of: it follows when the frame on show comes to rest
      speed: 8, // frames a second when a clip plays; 0: as filmed
    };
    this.dirty = new Set();
    this.raf = 0;
    this.touched = false;
    this.stageSize = this.ui.stage.getBoundingClientRect();
    this.rows = 8; // of the ranked list
    this.stop = new AbortController();
    this.told = latest((report) => onPin(report), 120);
    this.views = latest((report) => onView(report), 350);
    this.pen = this.ui.overlay.getContext("2d");
    this.words = new Map();
    this.minis = new Map();
    this.thumbs = new Map();
    this.pairAt = 0;
    this.tileNodes = [];
    this.tips = new Tips(root, this.stop.signal);
    this.tour = new Tour(root, this.ui, this.stop.signal);
    this.timeline = new Timeline(this);
    this.buildControls();
    this.listen();
    this.load(payload, view || {});
  }

  // ---- data and view

  load(payload, view) {
    this.model = new Model(payload);
    this.awaited = true; // the first frame; until then what was on screen stays, and no map is drawn twice
    this.given = {};
    this.minis.clear();
    this.pictures = [];
    const state = this.state;
    Object.assign(state, { block: this.model.block(view.block), hover: null, preview: null, frame: 0, still: 0 });
    Object.assign(state, { pinned: false, primitive: null, layer: "attention", point: null, region: null });
    Object.assign(state, { pins: [], active: 0, filter: "" });
    this.ui.filter.value = "";
    this.pressed = null;
    this.told.cancel();
    this.views.cancel();
    this.rest = this.model.pointOf(
      { t: 0, row: Math.floor(state.block.h / 2), col: Math.floor(state.block.w / 2) },
      state.block,
    );
    this.root.style.setProperty("--aspect", String(this.model.width / this.model.height));
    this.root.dataset.shape = this.model.width / this.model.height > 2.1 ? "wide" : "";
    this.setBlocks();
    this.toned = []; // frames as they are shown, for the opacity at hand
    this.timeline.load();
    this.applyView(view);
    if (!state.point) state.point = this.rest;
    this.rest = state.point;
    this.enterBlock();
    this.loadPictures();
  }

  async loadPictures() {
    const model = this.model;
    const gone = () => this.model !== model || this.stop.signal.aborted;
    const decode = async (source, f) => {
      const image = new Image();
      image.src = source;
      try {
        await image.decode();
      } catch {
        return; // a frame that cannot be shown leaves its place grey; the maps stay right
      }
      if (!gone()) this.pictures[f] = image;
    };
    const [first, ...others] = model.frames.map(decode);
    await first;
    if (gone()) return;
    this.awaited = false;
    this.schedule("all", "picture", "minis");
    if (!others.length) return;
    await Promise.all(others);
    if (!gone()) this.schedule("picture", "minis");
  }

  /** Takes over what the page asks for; only what differs from what it asked for last. */
  applyView(view) {
    const { state, model } = this;
    const again = view.revision !== this.given.revision;
    const given = again ? {} : this.given; // another revision: everything is asked for anew
    if (again) {
      this.told.cancel(); // what was about to be said is about what was there before
      this.views.cancel();
    }
    const asked = (name) => {
      const fresh = view[name] !== undefined && JSON.stringify(view[name]) !== JSON.stringify(given[name]);
      return fresh && view[name] !== null;
    };
    if (asked("block") && model.block(view.block) !== state.block) this.setBlock(model.block(view.block));
    for (const name of Object.keys(SETTINGS)) {
      if (asked(name) && SETTINGS[name](view[name])) state[name] = view[name];
    }
    const block = state.block;
    if (asked("probe") && Array.isArray(view.probe)) {
      const [t, row, col] = view.probe;
      if (isIndex(t, block.T) && isIndex(row, block.h) && isIndex(col, block.w)) {
        const point = model.pointOf({ t, row, col }, block);
        this.setPins(view.pinned === true ? [point] : [], 0);
        state.point = point;
        this.turnTo(point.frame);
      }
    }
    if (Array.isArray(view.pins) && JSON.stringify(view.pins) !== JSON.stringify(given.pins)) {
      const fits = (p) => Array.isArray(p) && isIndex(p[0], block.T) && isIndex(p[1], block.h) && isIndex(p[2], block.w);
      const cells = view.pins.filter(fits).slice(0, MAX_PINS);
      const active = cells.findIndex((cell) => `${cell}` === `${view.probe}`);
      if (cells.length) {
        this.setPins(
          cells.map(([t, row, col]) => model.pointOf({ t, row, col }, block)),
          Math.max(0, active),
        );
      } else if (view.pinned !== true) {
        this.setPins([], 0);
      }
    }
    if (view.primitive !== undefined && JSON.stringify(view.primitive) !== JSON.stringify(given.primitive)) {
      state.primitive = isIndex(view.primitive, block.n) ? view.primitive : null;
    }
    if (view.region !== undefined && JSON.stringify(view.region) !== JSON.stringify(given.region)) {
      state.region = this.regionIn(view.region);
    }
    if (state.layer === "change" && !block.hasChange) state.layer = "attention";
    this.given = { ...view };
  }

  /** [t, row0, col0, row1, col1], both ends in, as a rectangle of pixels; null when it does not fit. */
  regionIn(cells) {
    const { block } = this.state;
    if (!Array.isArray(cells) || cells.length !== 5) return null;
    const [t, row0, col0, row1, col1] = cells;
    const fits = isIndex(t, block.T) && isIndex(row1, block.h) && isIndex(col1, block.w);
    if (!fits || !isIndex(row0, row1 + 1) || !isIndex(col0, col1 + 1)) return null;
    return this.model.regionOf({ t, row: row0, col: col0 }, { t, row: row1, col: col1 }, block);
  }

  update(payload, view) {
    this.readTheme();
    if (payload.key !== this.model.key) {
      this.load(payload, view || {});
      this.schedule("all");
      return;
    }
    const measured = this.takeMeasured(payload);
    if (JSON.stringify(view || {}) === JSON.stringify(this.given) && !measured) return;
    this.applyView(view || {});
    this.schedule("all");
  }

  /** What was measured since the trace was sent; whether there is any. */
  takeMeasured(payload) {
    const fresh = payload.blocks.filter((raw) => raw.effect && !this.model.block(raw.name).effect);
    for (const raw of fresh) this.model.block(raw.name).effect = effectOf(raw);
    return fresh.length > 0;
  }

  setBlocks() {
    const known = this.model.measures.includes("effect") || this.model.blocks.some((b) => b.effect);
    this.ui.stills.hidden = known || this.model.frames.length < 2;
    const sorts = Object.entries(SORTS).filter(([name]) => name !== "effect" || known);
    this.showSort = segmented(
      this.ui.sort,
      sorts.map(([value, words]) => ({ value, ...words })),
      (value) => this.setting({ sort: value }),
    );
    this.showBlock = segmented(
      this.ui.blocks,
      this.model.blocks.map((block) => {
        const [, text, detail] = block.label.match(/^(.*?)\s*(\(.*\))?$/s);
        return { value: block.name, text, detail, term: "cell" };
      }),
      (name) => {
        this.setBlock(this.model.block(name));
        this.reportPin();
      },
    );
  }

  setBlock(block) {
    this.state.block = block;
    this.state.primitive = null;
    this.state.preview = null;
    if (this.state.layer !== "change" || !block.hasChange) this.state.layer = "attention";
    this.state.terms.flips.clear();
    this.enterBlock();
  }

  /** Buffers and lists for the current block. */
  enterBlock() {
    const { block } = this.state;
    this.rho = new Float32Array(block.n); // at the probed place
    this.weights = new Float32Array(block.n); // by which terms are ranked; they sum to 1
    this.spread = new Float32Array(block.n); // of the weights over a box
    this.mixing = new Float32Array(block.n); // what multiplies each map
    this.attention = new Float32Array(block.N);
    this.order = block.use.map((_, i) => i); // until the first answer: a key may come before it
    // An odd number of pixels to a cell: one of them sits on its centre and holds its value as it is.
    const half = Math.floor((OVERLAY_SIDE_PX / Math.max(block.h, block.w) - 1) / 2);
    this.lens = new Enlarger(block.h, block.w, 2 * Math.max(1, half) + 1);
    this.image = new ImageData(this.lens.width, this.lens.height);
    this.imageWords = new Uint32Array(this.image.data.buffer);
    this.ui.overlay.width = this.lens.width;
    this.ui.overlay.height = this.lens.height;
    this.asked = null;
    this.ui.stage.style.setProperty("--cell-w", `${100 / block.w}%`);
    this.ui.stage.style.setProperty("--cell-h", `${100 / block.h}%`);
    this.buildGallery();
    this.schedule("all");
  }

  // ---- controls

  buildControls() {
    const { ui } = this;
    this.showAsk = segmented(
      ui.ask,
      [
        { value: "from", text: "← Gathers from", title: "Where does this pixel get its information from?" },
        { value: "to", text: "Gives to →", title: "Who receives information from this pixel?" },
        { value: "change", text: "Changed", title: "Where did the block change anything?" },
      ],
      (value) => this.setting(value === "change" ? { layer: value } : { layer: "attention", direction: value }),
    );
    this.showScale = segmented(
      ui.scale,
      [
        { value: "relative", text: "Relative", term: "relative" },
        { value: "absolute", text: "Absolute", term: "absolute" },
      ],
      (value) => this.setting({ scale: value }),
    );
    this.pinMarks = Array.from({ length: MAX_PINS }, (_, k) => {
      const mark = make("i", "a2c-pin", ui.stage);
      mark.dataset.no = mark.textContent = String(k + 1);
      mark.setAttribute("aria-hidden", "true");
      mark.hidden = true;
      return mark;
    });
    this.showTiles = segmented(
      ui.tiles,
      [
        { value: "gather", text: "θ gathered", title: "Where each primitive is gathered" },
        { value: "distribute", text: "ρ handed out", title: "Where each primitive is handed out" },
      ],
      (value) => this.setting({ tiles: value }),
    );
  }

  /** Which terms the map adds up: "all", "none" or "top" k; single terms are flipped afterwards. */
  setTerms(change) {
    Object.assign(this.state.terms, change);
    this.state.terms.flips.clear();
    this.asked = null;
    this.schedule("probe", "say");
  }

  flipTerm(i) {
    const { flips } = this.state.terms;
    if (!flips.delete(i)) flips.add(i);
    this.asked = null;
    this.state.preview = null;
    this.schedule("probe", "say");
  }

  isIn(i, rank) {
    const { peel, terms } = this.state;
    if (!peel) return true;
    const rule = terms.mode === "all" || (terms.mode === "top" && rank < terms.k);
    return rule !== terms.flips.has(i);
  }

  setting(change) {
    Object.assign(this.state, change);
    this.schedule("all");
    this.reportView();
  }

  listen() {
    const { ui, stop } = this;
    const on = (node, type, run, options = {}) =>
      node.addEventListener(type, run, { signal: stop.signal, ...options });

    on(ui.stage, "pointerdown", (event) => this.press(event));
    on(ui.stage, "pointermove", (event) => {
      if (this.drag(event) || event.pointerType === "touch") return;
      this.hoverAt(event);
    });
    on(ui.stage, "pointerup", (event) => this.release(event));
    on(ui.stage, "pointercancel", (event) => this.release(event));
    on(ui.stage, "pointerleave", (event) => {
      if (event.pointerType !== "touch") this.leave();
    });
    on(ui.stage, "click", (event) => this.click(event));
    on(ui.stage, "keydown", (event) => this.key(event));
    on(ui.opacity, "input", () => this.setting({ opacity: Number(ui.opacity.value) }));
    on(ui.unpin, "click", () => {
      this.unpin();
      ui.stage.focus();
    });
    // A finger that draws a box must not scroll the page; any other finger may.
    ui.stage.addEventListener(
      "touchmove",
      (event) => {
        if (this.pressed?.box && event.cancelable) event.preventDefault();
      },
      { signal: stop.signal, passive: false },
    );
    on(ui.stage, "contextmenu", (event) => {
      if (this.pressed?.touch) event.preventDefault();
    });
    on(ui.present, "click", () => {
      this.present(true);
      ui.stage.focus();
    });
    on(document, "keydown", (event) => {
      if (event.key === "Escape" && this.state.presentation && !event.defaultPrevented) this.present(false);
    });
    on(ui.unbox, "click", () => {
      this.setRegion(null);
      this.reportView();
      ui.stage.focus();
    });
    on(ui.peel, "click", () => {
      this.state.peel = !this.state.peel;
      this.setTerms({ mode: "all" });
      this.schedule("all");
    });
    on(ui.termsAll, "click", () => this.setTerms({ mode: "all" }));
    on(ui.termsNone, "click", () => this.setTerms({ mode: "none" }));
    on(ui.termsTop, "click", () => this.setTerms({ mode: "top" }));
    on(ui.termsK, "input", () => {
      const k = Math.round(Number(ui.termsK.value));
      if (isIndex(k, this.state.block.n + 1)) this.setTerms({ mode: "top", k });
    });
    on(ui.rows, "click", (event) => {
      const node = event.target.closest?.(".a2c-switch");
      if (node) this.flipTerm(node._i);
    });
    on(ui.unchoose, "click", () => {
      this.choose(null);
      ui.stage.focus();
    });
    on(ui.back, "click", () => {
      this.setting({ layer: "attention" });
      ui.stage.focus();
    });
    for (const [node, kind] of [
      [ui.mapGather, "gather"],
      [ui.mapDistribute, "distribute"],
    ]) {
      on(node, "pointerenter", (event) => event.pointerType !== "touch" && this.setPreview(this.shown(), kind));
      on(node, "pointerleave", () => this.setPreview(null));
      on(node, "click", () => {
        const i = this.shown();
        const same = this.state.layer === kind;
        this.state.preview = null;
        if (!same && this.state.primitive !== i) this.choose(i);
        this.setting({ layer: same ? "attention" : kind });
      });
    }
    on(ui.filter, "input", () => {
      this.state.filter = ui.filter.value;
      this.schedule("gallery");
    });
    on(ui.grid, "click", (event) => {
      const node = event.target.closest?.(".a2c-pile");
      if (node) this.openPile(node._group);
    });
    on(ui.compare, "click", (event) => {
      const node = event.target.closest?.("[data-pin]");
      if (!node) return;
      const k = Number(node.dataset.pin);
      if (node.dataset.act === "remove") {
        this.removePin(k);
        ui.stage.focus();
      } else this.selectPin(k);
    });
    this.listenTo(ui.compareRows);
    this.listenTo(ui.rows);
    this.listenTo(ui.grid);
    on(ui.more, "click", () => {
      const open = this.root.dataset.open !== "yes";
      this.root.dataset.open = open ? "yes" : "";
      this.schedule("gallery");
    });

    this.size = new ResizeObserver(([entry]) => {
      this.stageSize = entry.contentRect;
      this.rows = this.rowCount();
      this.asked = null;
      this.schedule("picture", "all");
    });
    this.size.observe(ui.stage);
    this.seen = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) target._seen = isIntersecting;
        this.schedule("tiles");
      },
      { rootMargin: "120px" },
    );
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    on(scheme, "change", () => this.readTheme());
    this.readTheme();
  }

  /** Preview under the mouse or focus, choice on click, for list rows and gallery tiles alike. */
  listenTo(host) {
    const { signal } = this.stop;
    const indexOf = (event) => {
      const node = event.target.closest?.(".a2c-row, .a2c-tile, .a2c-key");
      return node && host.contains(node) && isIndex(node._i, this.state.block.n) ? node._i : null;
    };
    const kind = () => (host === this.ui.grid ? this.state.tiles : "gather");
    host.addEventListener(
      "pointerover",
      (event) => event.pointerType !== "touch" && this.setPreview(indexOf(event), kind()),
      { signal },
    );
    host.addEventListener("pointerleave", () => this.setPreview(null), { signal });
    host.addEventListener("focusin", (event) => this.setPreview(indexOf(event), kind()), { signal });
    host.addEventListener("focusout", () => this.setPreview(null), { signal });
    host.addEventListener(
      "click",
      (event) => {
        const i = indexOf(event);
        if (i !== null) this.choose(i === this.state.primitive ? null : i);
      },
      { signal },
    );
    host.addEventListener(
      "keydown",
      (event) => {
        const nodes = [...host.querySelectorAll(".a2c-row, .a2c-tile, .a2c-key")].filter((node) => !node.closest("[hidden]"));
        const at = nodes.indexOf(event.target);
        if (at < 0) return;
        const across = host === this.ui.grid ? Math.max(1, this.tilesAcross()) : 1;
        const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
        if (step) {
          event.preventDefault();
          const next = nodes[clamp(at + step, 0, nodes.length - 1)];
          rove(nodes, next);
          next.focus();
        } else if (event.key === "Escape") {
          event.preventDefault();
          this.letGo();
        }
      },
      { signal },
    );
  }

  readTheme() {
    const [r, g, b] = (getComputedStyle(this.root).color.match(/[\d.]+/g) || [0, 0, 0]).map(Number);
    this.root.dataset.theme = 0.299 * r + 0.587 * g + 0.114 * b > 128 ? "dark" : "light";
  }

  // ---- what a person does

  pointAt(event) {
    const box = this.ui.stage.getBoundingClientRect();
    const { width, height } = this.model;
    return {
      frame: this.state.frame,
      x: clamp(((event.clientX - box.left) / box.width) * width, 0, width - 1e-6),
      y: clamp(((event.clientY - box.top) / box.height) * height, 0, height - 1e-6),
    };
  }

  hoverAt(event) {
    this.eventAt ||= performance.now();
    this.state.hover = this.pointAt(event);
    this.state.preview = null;
    this.touch();
    this.schedule("probe");
  }

  // ---- a box, by a drag

  press(event) {
    this.swallow = false;
    if (event.button !== 0 || !event.isPrimary) return;
    const { pointerId: id } = event;
    const touch = event.pointerType === "touch";
    const pressed = { id, at: [event.clientX, event.clientY], from: this.pointAt(event), box: false, touch };
    this.pressed = pressed;
    if (!touch) return;
    pressed.timer = setTimeout(() => {
      if (this.pressed !== pressed || this.stop.signal.aborted) return;
      this.startBox(id);
      this.boxTo(pressed.from);
    }, HOLD_MS);
  }

  /** True while the pointer draws a box. */
  drag(event) {
    const { pressed } = this;
    if (!pressed || event.pointerId !== pressed.id) return false;
    if (!pressed.box) {
      const [x, y] = pressed.at;
      const far = Math.hypot(event.clientX - x, event.clientY - y) >= DRAG_PX;
      if (!(event.buttons & 1)) this.pressed = null; // let go outside
      if (pressed.touch && far) {
        clearTimeout(pressed.timer); // a scroll
        this.pressed = null;
      }
      if (!this.pressed || !far || pressed.touch) return false;
      this.startBox(event.pointerId);
    }
    this.boxTo(this.pointAt(event));
    return true;
  }

  startBox(pointerId) {
    this.pressed.box = true;
    this.ui.stage.setPointerCapture(pointerId);
    this.touch();
  }

  boxTo(point) {
    const { model, state, pressed } = this;
    this.setRegion(model.regionOf(model.cellOf(pressed.from, state.block), model.cellOf(point, state.block), state.block));
  }

  release(event) {
    const { pressed } = this;
    if (!pressed || event.pointerId !== pressed.id) return;
    this.pressed = null;
    clearTimeout(pressed.timer);
    if (!pressed.box) return;
    this.swallow = event.type === "pointerup"; // the click that ends a drag is none
    this.reportView();
    this.schedule("say");
  }

  setRegion(region) {
    const { state } = this;
    if (!state.region && !region) return;
    state.region = region;
    if (region) {
      Object.assign(state, { hover: null, preview: null });
      this.turnTo(region.frame);
    } else this.corners = null;
    this.schedule("probe", "gallery");
  }

  /** Shows a frame at once, small maps and all. */
  turnTo(frame) {
    const { state } = this;
    if (state.frame === frame && state.still === frame) return;
    Object.assign(state, { frame, still: frame });
    this.timeline.play(false);
    this.schedule("all", "picture");
  }

  /** Shift and an arrow: the box grows from the probed cell. */
  stretch(dy, dx) {
    const { state, model } = this;
    const { block } = state;
    if (!state.region || !this.corners) {
      const cell = model.cellOf(state.hover || state.point, block);
      this.corners = { fixed: cell, free: cell };
    }
    const { fixed, free } = this.corners;
    const next = { t: free.t, row: clamp(free.row + dy, 0, block.h - 1), col: clamp(free.col + dx, 0, block.w - 1) };
    this.setRegion(model.regionOf(fixed, next, block));
    this.corners = { fixed, free: next };
    this.reportView();
  }

  leave() {
    if (!this.state.hover) return;
    this.state.hover = null;
    this.schedule("probe");
  }

  /** The first contact: the hint has done its work. */
  touch() {
    if (this.touched) return;
    this.touched = true;
    this.root.dataset.touched = "yes";
  }

  click(event) {
    if (this.swallow) {
      this.swallow = false;
      return;
    }
    this.touch();
    const point = this.pointAt(event);
    const { block, hover } = this.state;
    if (event.pointerType === "touch") {
      const again = hover && block.index(this.model.cellOf(hover, block)) === block.index(this.model.cellOf(point, block));
      this.state.hover = point;
      this.schedule("probe");
      if (!again) return;
    }
    this.pin(point, event.shiftKey);
  }

  /** Puts the pin in use at a point, or adds one; a place that has a pin already is selected. */
  pin(point, add = false) {
    const { state, model } = this;
    const at = (p) => state.block.index(model.cellOf(p, state.block));
    const known = state.pins.findIndex((p) => at(p) === at(point));
    const same = known >= 0 && known === state.active;
    if (known < 0 && add && state.pins.length === MAX_PINS) {
      this.note = `${MAX_PINS} pins are the most. Remove one first.`;
      this.schedule("probe", "say");
      return;
    }
    const slot = known >= 0 ? known : add || !state.pins.length ? state.pins.length : state.active;
    this.setPins(Object.assign([...state.pins], { [slot]: point }), slot);
    if (state.region) {
      this.setRegion(null);
      this.reportView();
    }
    this.schedule("probe", "gallery");
    if (!same) this.reportPin();
  }

  setPins(pins, active) {
    const { state } = this;
    state.pins = pins;
    state.active = clamp(active, 0, Math.max(0, pins.length - 1));
    state.pinned = pins.length > 0;
    state.point = state.pinned ? pins[state.active] : this.rest || state.point;
  }

  selectPin(k) {
    const { state } = this;
    if (!isIndex(k, state.pins.length)) return;
    this.setPins(state.pins, k);
    if (state.region) this.setRegion(null);
    state.hover = null;
    this.turnTo(state.point.frame);
    this.schedule("all", "say");
    this.reportPin();
  }

  removePin(k) {
    const { state } = this;
    if (!isIndex(k, state.pins.length)) return;
    const active = state.active - (k < state.active || state.active === state.pins.length - 1 ? 1 : 0);
    this.setPins(state.pins.filter((_, other) => other !== k), active);
    this.schedule("probe", "gallery", "say");
    this.reportPin();
  }

  unpin() {
    this.removePin(this.state.active);
  }

  choose(i) {
    if (this.state.primitive === i) return;
    this.state.primitive = i;
    if (i !== null && this.state.block.groups) this.piles.add(this.state.block.groups[i]);
    if (i === null && this.state.layer !== "change") this.state.layer = "attention";
    this.schedule("all");
    this.reportPin();
  }

  /** Escape: what was done last is undone first. */
  letGo() {
    if (this.state.presentation) {
      this.present(false);
    } else if (this.state.region) {
      this.setRegion(null);
      this.reportView();
    } else if (this.state.layer !== "attention") this.setting({ layer: "attention" });
    else if (this.state.primitive !== null) this.choose(null);
    else this.unpin();
  }

  present(on) {
    if (this.state.presentation === on) return;
    this.tips.show(null);
    this.setting({ presentation: on });
  }

  setPreview(i, kind = "gather") {
    const { preview } = this.state;
    if (i === null ? preview === null : preview && preview.i === i && preview.kind === kind) return;
    this.state.preview = i === null ? null : { i, kind };
    this.schedule("map", "pair");
  }

  key(event) {
    const { state, model } = this;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key in moves && event.shiftKey) {
      this.stretch(...moves[event.key]);
      this.touch();
      this.schedule("say");
    } else if (event.key in moves) {
      const [dy, dx] = moves[event.key];
      const block = state.block;
      const cell = model.cellOf(state.hover || { ...state.point, frame: state.frame }, block);
      state.hover = model.pointOf(
        { t: cell.t, row: clamp(cell.row + dy, 0, block.h - 1), col: clamp(cell.col + dx, 0, block.w - 1) },
        block,
      );
      state.hover.byKey = true;
      this.touch();
      this.schedule("probe", "say");
    } else if (this.timeline.key(event)) {
      this.touch();
    } else if (event.key === "Enter" || event.key === " ") {
      this.pin(state.hover || state.point);
      this.schedule("say");
    } else if (event.key === "p" || event.key === "P") {
      this.pin(state.hover || state.point, true);
      this.schedule("say");
    } else if (event.key >= "1" && event.key <= String(MAX_PINS) && event.key.length === 1) {
      this.selectPin(Number(event.key) - 1);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.removePin(state.active);
    } else if (event.key === "[" || event.key === "]") {
      this.step(event.key === "]" ? 1 : -1);
      this.schedule("say");
    } else if (event.key === "Escape") {
      this.letGo();
      state.hover = null;
      this.schedule("probe", "say");
    } else if (event.key === "f" || event.key === "F") {
      this.present(!state.presentation);
    } else if (event.key === "?") {
      this.tour.step(0);
    } else if (event.key === "d" || event.key === "D") {
      this.setting({ layer: "attention", direction: state.direction === "from" ? "to" : "from" });
      this.schedule("say");
    } else {
      return;
    }
    event.preventDefault();
  }

  /** To the next or previous primitive, in the order of the ranked list. */
  step(by) {
    const { n } = this.state.block;
    const at = this.state.primitive === null ? (by > 0 ? -1 : 0) : this.order.indexOf(this.state.primitive);
    this.choose(this.order[(at + by + n) % n]);
  }

  // ---- what the page is told

  report() {
    const { state, model } = this;
    const { t, row, col } = model.cellOf(state.point, state.block);
    const view = {};
    for (const name of Object.keys(SETTINGS)) view[name] = state[name];
    const box = state.region && model.cellsOf(state.region, state.block);
    view.pins = state.pins.map((point) => {
      const cell = model.cellOf(point, state.block);
      return [cell.t, cell.row, cell.col];
    });
    view.region = box && [box.t, box.row0, box.col0, box.row1, box.col1];
    return {
      key: model.key,
      block: state.block.name,
      t,
      row,
      col,
      primitive: state.primitive,
      pinned: state.pinned,
      view,
    };
  }

  reportPin() {
    this.views.cancel();
    this.told.now(this.report());
  }

  reportView() {
    this.views.later(this.report());
  }

  // ---- drawing, once a frame

  schedule(...parts) {
    for (const part of parts) this.dirty.add(part);
    if (!this.raf && !this.awaited && !this.stop.signal.aborted) this.raf = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.raf = 0;
    if (this.awaited) return;
    const all = this.dirty.has("all");
    const has = (...parts) => all || parts.some((part) => this.dirty.has(part));
    const want = {
      controls: all,
      picture: has("picture"),
      probe: has("probe", "minis"),
      map: has("probe", "map"),
      pair: has("probe", "pair", "minis"),
      minis: this.dirty.has("minis"),
      gallery: has("gallery", "minis"),
      tiles: has("tiles"),
      say: this.dirty.has("say"),
    };
    this.dirty.clear();
    const painted = `${this.state.block.name} ${this.state.scale} ${this.state.still} ${this.state.peel}`;
    if (want.minis || this.painted !== painted) this.forgetPainted();
    this.painted = painted;
    if (all) this.asked = null;
    if (want.controls) this.drawControls();
    if (want.picture) this.drawPicture();
    if (all || want.picture || want.probe) this.timeline.drawNow();
    if (want.probe) this.answer();
    if (want.map) this.drawMap();
    if (want.pair && !this.eventAt) this.drawPair();
    if (want.gallery) {
      this.sortGallery(want.minis);
      this.tilesLater();
    }
    if (want.tiles && !this.eventAt) this.drawTiles();
    else if (want.tiles) this.tilesLater();
    if (all || want.gallery || want.picture) this.drawPins();
    if (want.say) this.say();
    if (this.timeline.playing && want.picture) {
      const detail = { frame: this.state.frame, map: this.mapFrame, picture: this.pictureFrame };
      this.root.dispatchEvent(new CustomEvent("a2-frame", { detail }));
    }
    if (this.eventAt) {
      const since = this.eventAt;
      const script_ms = performance.now() - since;
      this.eventAt = 0;
      afterPaint(() => {
        const detail = { ms: performance.now() - since, script_ms };
        this.root.dispatchEvent(new CustomEvent("a2-painted", { detail }));
        if (want.pair) this.drawPairBetween();
      });
    }
  }

  say() {
    const { state, ui } = this;
    const number = state.pins.length > 1 ? ` ${state.active + 1} of ${state.pins.length}` : "";
    const pinned = state.pinned && !state.hover && !state.region ? `Pinned${number}. ` : "";
    setText(ui.live, this.note || pinned + this.sentence);
    this.note = "";
  }

  /** The numbered marks, and what the pins receive side by side; nothing while there are fewer than two. */
  drawPins() {
    const { state, model, ui } = this;
    const { block, pins, active } = state;
    const many = pins.length > 1;
    const shownAt = model.cellOf({ frame: state.frame, x: 0, y: 0 }, block).t;
    const cells = pins.map((point) => model.cellOf(point, block));
    this.pinMarks.forEach((mark, k) => {
      mark.hidden = !many || !cells[k] || cells[k].t !== shownAt;
      if (mark.hidden) return;
      const x = clamp((cells[k].col * this.stageSize.width) / block.w, 11, this.stageSize.width - 11);
      const y = clamp((cells[k].row * this.stageSize.height) / block.h, 11, this.stageSize.height - 11);
      mark.style.transform = `translate(${x - 11}px, ${y - 11}px)`;
      setAttr(mark, "data-active", k === active ? "yes" : "");
    });
    ui.compare.hidden = !many;
    const id = many ? JSON.stringify([model.key, block.name, cells, active]) : "";
    if (!many || this.compared === id) {
      this.compared = id;
      return;
    }
    this.compared = id;
    const rhos = cells.map((cell) => column(block.distribute, block.n, block.N, block.index(cell), new Float32Array(block.n)));
    const union = [...new Set(rhos.flatMap((rho) => ranking(rho).slice(0, PIN_ROWS)))];
    const most = (i) => Math.max(...rhos.map((rho) => rho[i]));
    union.sort((a, b) => most(b) - most(a) || a - b);
    const full = Math.max(...union.map(most), 1e-9);
    const head = document.createElement("tr");
    make("th", "", head).textContent = "primitive";
    cells.forEach((cell, k) => {
      const th = make("th", "", head);
      th.scope = "col";
      const when = this.timeline.many ? `${seconds(model.times[pins[k].frame])}, ` : "";
      const where = `${when}row ${cell.row}, col ${cell.col}`;
      for (const [act, text, label] of [
        ["select", String(k + 1), `Pin ${k + 1}, ${where}`],
        ["remove", "×", `Remove pin ${k + 1}`],
      ]) {
        const button = make("button", act === "select" ? "a2c-pin" : "a2c-remove", th);
        Object.assign(button, { type: "button", textContent: text, title: label });
        Object.assign(button.dataset, { pin: String(k), act, no: String(k + 1) });
        button.setAttribute("aria-label", label);
        if (act === "select") button.setAttribute("aria-pressed", String(k === active));
      }
      make("small", "", th).textContent = where;
    });
    ui.compareHead.replaceChildren(head);
    const rows = union.map((i) => {
      const tr = document.createElement("tr");
      const th = make("th", "", tr);
      th.scope = "row";
      const key = make("button", "a2c-key", th);
      Object.assign(key, { type: "button", textContent: `g${i}`, _i: i });
      rhos.forEach((rho, k) => {
        const td = make("td", "", tr);
        const bar = make("i", "", td);
        bar.style.width = `${(100 * rho[i]) / full}%`;
        make("span", "", td).textContent = percent(rho[i]);
        if (k) make("small", "", td).textContent = points(rho[i] - rhos[0][i]);
      });
      return tr;
    });
    ui.compareRows.replaceChildren(...rows);
    const keys = [...ui.compareRows.querySelectorAll(".a2c-key")];
    rove(keys, keys[0]);
  }

  drawControls() {
    const { ui, state } = this;
    this.showBlock(state.block.name);
    this.showAsk(state.layer === "change" ? "change" : state.direction);
    this.root.dataset.direction = state.direction;
    if ((this.root.dataset.present === "yes") !== state.presentation) {
      this.root.dataset.present = state.presentation ? "yes" : "";
      this.asked = null; // the number of rows follows the new size
    }
    ui.colShare.dataset.term = state.direction === "to" ? "carried" : "rho";
    this.root.dataset.peel = state.peel ? "yes" : "";
    setAttr(ui.peel, "aria-pressed", String(state.peel));
    ui.peelPanel.hidden = !state.peel;
    const words = DIRECTIONS[state.direction];
    setText(ui.colShare, words.column);
    setText(ui.hint, state.layer === "change" ? "Bright is where the block changed its input" : words.hint);
    setAttr(ui.rank, "aria-label", words.list);
    this.showScale(state.scale);
    this.showSort(state.sort);
    this.showTiles(state.tiles);
    if (Number(ui.opacity.value) !== state.opacity) ui.opacity.value = String(state.opacity);
    setText(ui.opacityOut, percent(state.opacity));
  }

  /** The picture itself, paler in colour the stronger the overlay, so that colour means attention. */
  drawPicture() {
    const { base, stage } = this.ui;
    const dpr = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.max(1, Math.round(stage.clientWidth * dpr));
    const height = Math.max(1, Math.round(stage.clientHeight * dpr));
    if (base.width !== width || base.height !== height) {
      base.width = width;
      base.height = height;
    }
    const pen = base.getContext("2d");
    const { frame } = this.state;
    this.pictureFrame = frame;
    const picture = this.pictures[frame];
    if (!picture) {
      pen.fillStyle = "#777";
      pen.fillRect(0, 0, width, height);
    } else if (this.timeline.many) {
      pen.drawImage(this.tonedFrame(frame, picture), 0, 0, width, height);
    } else {
      this.tone(pen, picture, width, height);
    }
  }

  tone(pen, picture, width, height) {
    const { opacity } = this.state;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, 0, 0, width, height);
    pen.globalCompositeOperation = "saturation";
    pen.fillStyle = `rgba(128,128,128,${0.85 * opacity})`;
    pen.fillRect(0, 0, width, height);
    pen.globalCompositeOperation = "source-over";
    pen.fillStyle = `rgba(8,8,12,${0.32 * opacity})`;
    pen.fillRect(0, 0, width, height);
  }

  /** A frame of a clip as it is shown, made once: while it plays, a frame costs one copy. */
  tonedFrame(frame, picture) {
    if (this.tonedAt !== this.state.opacity) {
      this.tonedAt = this.state.opacity;
      this.toned = [];
    }
    if (!this.toned[frame]) {
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: this.model.width, height: this.model.height });
      this.tone(canvas.getContext("2d"), picture, canvas.width, canvas.height);
      this.toned[frame] = canvas;
    }
    return this.toned[frame];
  }

  /** What the numbers are about: the box, unless the pointer or the keys are at a pixel outside it. */
  subject() {
    const { state, model } = this;
    const { block, hover, region } = state;
    const point = hover || state.point;
    const cell = model.cellOf(point, block);
    if (region) {
      const cells = model.cellsOf(region, block);
      const inside =
        cell.t === cells.t &&
        cell.row >= cells.row0 && cell.row <= cells.row1 && cell.col >= cells.col0 && cell.col <= cells.col1;
      if (!hover || (inside && !hover.byKey)) {
        return { cells, cell, point, id: `${cells.t} ${cells.row0} ${cells.col0} ${cells.row1} ${cells.col1}` };
      }
    }
    return { cells: null, cell, point, id: block.index(cell) };
  }

  /** Weights of all terms at the subject, their spread over a box, and what multiplies each map. */
  weigh({ cells, cell }) {
    const { block, direction } = this.state;
    const { weights, mixing, spread } = this;
    const factors = block.factors(direction);
    const { t } = cells || cell;
    if (cells) {
      moments(block.distribute, block, cells, this.rho, spread);
      moments(factors.weights, block, cells, mixing, spread);
    } else {
      const p = block.index(cell);
      column(block.distribute, block.n, block.N, p, this.rho);
      column(factors.weights, block.n, block.N, p, mixing);
      spread.fill(0);
    }
    let sum = 0;
    for (let i = 0; i < block.n; i++) {
      const gain = !factors.gain ? 1 : block.alone ? block.useAt(i, t) : factors.gain[i];
      weights[i] = mixing[i] * gain;
      spread[i] *= gain;
      sum += weights[i];
    }
    if (factors.gain && sum > 0) {
      for (let i = 0; i < block.n; i++) {
        weights[i] /= sum;
        spread[i] /= sum;
      }
    }
    // A place that takes from a box takes from each of its cells: they add up. What a box takes is a mean.
    if (cells && direction === "to") for (let i = 0; i < block.n; i++) mixing[i] *= cells.count;
    return factors.maps;
  }

  /** The numbers at the probe: rho, the order of the terms, the effective attention; then list and words. */
  answer() {
    const { state, model, ui } = this;
    const { block, direction } = state;
    const subject = this.subject();
    const { point, cell, cells } = subject;
    if (this.asked !== subject.id) {
      this.asked = subject.id;
      const maps = this.weigh(subject);
      this.order = ranking(this.weights);
      this.terms = { count: 0, share: 0 };
      this.order.forEach((i, rank) => {
        if (this.isIn(i, rank)) {
          this.terms.count++;
          this.terms.share += this.weights[i];
        } else {
          this.mixing[i] = 0;
        }
      });
      block.mixed(this.mixing, maps, (cells || cell).t, this.attention);
      this.facts = describe(this.attention);
      this.drawRows();
      if (state.peel) this.drawTerms();
    }
    const box = state.region && model.cellsOf(state.region, block);
    const now = model.cellOf({ frame: state.frame, x: 0, y: 0 }, block).t;
    const rest = model.cellOf(state.point, block);
    this.elsewhere = (cells || cell).t !== now; // pinned in another frame of the clip
    ui.rest.dataset.elsewhere = rest.t !== now ? "yes" : "";
    ui.box.dataset.elsewhere = box && box.t !== now ? "yes" : "";
    this.putMark(ui.rest, rest);
    this.putMark(ui.hover, cell);
    this.putArrow(cells || { row0: cell.row, row1: cell.row, col0: cell.col, col1: cell.col });
    ui.hover.hidden = !state.hover || !!cells;
    ui.rest.hidden = !!box && !state.pinned;
    ui.rest.dataset.pinned = state.pinned ? "yes" : "";
    ui.unpin.hidden = !state.pinned || !!box;
    setText(ui.unpin, state.pins.length > 1 ? `remove pin ${state.active + 1}` : "unpin");
    ui.unbox.hidden = !box;
    ui.box.hidden = !box;
    if (box) this.putBox(box);

    const best = this.order[0];
    const when = this.timeline.many ? ` · ${seconds(model.times[cells ? state.region.frame : point.frame])}` : "";
    const share = cells ? `${percent(this.weights[best])} ± ${percent(this.spread[best])}` : percent(this.weights[best]);
    const reach = about(this.facts.reach / block.span);
    const place = cells
      ? `Box of ${cells.count} cells (rows ${cells.row0}–${cells.row1}, cols ${cells.col0}–${cells.col1})${when}`
      : `Pixel (x ${Math.floor(point.x)}, y ${Math.floor(point.y)})${when} · cell row ${cell.row}, col ${cell.col}`;
    const peak = this.facts.at % (block.h * block.w);
    const said =
      direction === "from"
        ? ` · gathers from ${reach} of ${model.whole} · receives most of primitive g${best} (${share})`
        : ` · gives to ${reach} of ${model.whole} · most to ${this.timeline.many ? "its " : ""}row ${Math.floor(peak / block.w)}, col ${peak % block.w}` +
          ` (${percent(this.facts.peak)} of its attention) · carried most by primitive g${best} (${share})`;
    const part = state.peel && this.terms.count < block.n ? ` · ${this.termsSentence()}` : "";
    this.sentence =
      state.layer === "change"
        ? `${place} · the block changed it by ${percent(this.meanChange(cells, cell))} of its size${cells ? " on average" : ""}`
        : place + said + part;
    setText(ui.readout, this.sentence);
    const words = DIRECTIONS[direction];
    setText(ui.rankTitle, cells ? words.listBox : words.list);
    const which = state.hover ? "under the pointer" : state.pinned ? "pinned" : "the marked spot";
    const one = state.presentation ? "primitives: click one for where it was gathered" : which;
    setText(ui.rankNote, cells ? `${cells.count} cells, mean ± sd` : one);
  }

  meanChange(cells, cell) {
    const { block } = this.state;
    if (!cells) return block.change[block.index(cell)];
    let sum = 0;
    for (let row = cells.row0; row <= cells.row1; row++) {
      for (let col = cells.col0; col <= cells.col1; col++) sum += block.change[block.index({ t: cells.t, row, col })];
    }
    return sum / cells.count;
  }

  termsSentence() {
    const { count, share } = this.terms;
    const { block, direction } = this.state;
    return `${count} of ${block.n} terms: ${percent(share)} ${DIRECTIONS[direction].whole}`;
  }

  /** The stack of all terms, largest first; those taken out are pale. */
  drawTerms() {
    const { ui, state } = this;
    const { terms } = state;
    setText(ui.termsSaid, this.termsSentence());
    setAttr(ui.termsAll, "aria-pressed", String(terms.mode === "all" && !terms.flips.size));
    setAttr(ui.termsNone, "aria-pressed", String(terms.mode === "none" && !terms.flips.size));
    setAttr(ui.termsTop, "aria-pressed", String(terms.mode === "top" && !terms.flips.size));
    if (document.activeElement !== ui.termsK && Number(ui.termsK.value) !== terms.k) ui.termsK.value = String(terms.k);
    const { stack } = ui;
    const pen = stack.getContext("2d");
    pen.clearRect(0, 0, stack.width, 1);
    let at = 0;
    this.order.forEach((i, rank) => {
      const wide = this.weights[i] * stack.width;
      pen.fillStyle = this.isIn(i, rank) ? (rank % 2 ? "#35a29c" : "#21807c") : "rgba(128,128,128,.28)";
      pen.fillRect(at, 0, Math.max(0.5, wide - 0.5), 1);
      at += wide;
    });
  }

  putBox(cells) {
    const { block } = this.state;
    const x = this.stageSize.width / block.w;
    const y = this.stageSize.height / block.h;
    const { style } = this.ui.box;
    style.transform = `translate(${cells.col0 * x}px, ${cells.row0 * y}px)`;
    style.width = `${(cells.col1 - cells.col0 + 1) * x}px`;
    style.height = `${(cells.row1 - cells.row0 + 1) * y}px`;
  }

  /** At a corner of the place, pointing into it or out of it; the corner that has room. */
  putArrow({ row0, row1, col0, col1 }) {
    const { block } = this.state;
    const { width, height } = this.stageSize;
    const right = ((col1 + 1) * width) / block.w;
    const top = (row0 * height) / block.h;
    const left = right + 26 > width;
    const below = top < 26;
    const x = left ? (col0 * width) / block.w : right;
    const y = below ? ((row1 + 1) * height) / block.h : top;
    this.ui.arrow.style.transform = `translate(${x}px, ${y}px) scale(${left ? -1 : 1}, ${below ? -1 : 1})`;
  }

  /** In pixels of the stage: multiples of a mark's own size, which browsers round, would drift. */
  putMark(mark, cell) {
    const { block } = this.state;
    const { width, height } = this.stageSize;
    mark.style.transform = `translate(${(cell.col * width) / block.w}px, ${(cell.row * height) / block.h}px)`;
  }

  /** The list is built from the answer; both are asked for anew. */
  forgetPainted() {
    this.asked = null;
    this.pairShown = null;
    for (const img of this.thumbs.values()) forget(img);
    this.thumbs.clear();
    for (const row of this.rowNodes || []) row.shown = null;
  }

  drawRows() {
    const { state, weights, spread, order } = this;
    const { block } = state;
    const count = Math.min(this.rows, block.n);
    const built = `${block.name} ${count} ${state.peel}`;
    if (this.rowsBuilt !== built) this.buildRows(count);
    this.rowsBuilt = built;
    const full = state.scale === "absolute" ? 1 : Math.max(weights[order[0]] + spread[order[0]], 1e-9);
    let sum = 0;
    for (let r = 0; r < count; r++) {
      const i = order[r];
      const node = this.rowNodes[r];
      const reach = about(block.reach[i] / block.span);
      sum += weights[i];
      setText(node.share, percent(weights[i]));
      node.bar.style.transform = `scaleX(${(weights[i] / full).toFixed(4)})`;
      this.drawWhisker(node, weights[i] / full, spread[i] / full);
      if (state.peel) {
        const on = this.isIn(i, r);
        node.toggle._i = i;
        setAttr(node.toggle, "aria-checked", String(on));
        setAttr(node.toggle, "aria-label", `Term of g${i} in the map`);
        setAttr(node.li, "data-out", on ? "" : "yes");
      }
      if (node.shown !== i) {
        node.shown = i;
        node.button._i = i;
        setText(node.name, `g${i}`);
        setText(node.reach, reach);
        node.thumb.replaceChildren(this.thumb(i));
      }
    }
    const left = block.n - count;
    setText(this.ui.others, left > 0 ? `and ${left} more with ${percent(Math.max(0, 1 - sum))} together` : "");
  }

  /** One standard deviation to each side of the mean, over the cells of a box. */
  drawWhisker(node, mean, spread) {
    const low = clamp(mean - spread, 0, 1);
    const wide = clamp(mean + spread, 0, 1) - low;
    const shown = spread > 0 ? `translateX(${(100 * low).toFixed(2)}%) scaleX(${wide.toFixed(4)})` : "scaleX(0)";
    if (node.whiskerShown !== shown) node.whisker.style.transform = node.whiskerShown = shown;
  }

  /** The small gather map of primitive i, painted once: rows only pass the finished image around. */
  thumb(i) {
    let img = this.thumbs.get(i);
    if (!img) {
      const { block } = this.state;
      img = picture();
      this.mini("row").show(img, block.gather, this.offset(i), this.top("gather", i), "magma");
      this.thumbs.set(i, img);
    }
    return img;
  }

  /** As many rows as end where the picture ends, when the list stands beside it. */
  rowCount() {
    const { stage, rows, pair } = this.ui;
    const boxes = [stage, rows, pair].map((node) => node.getBoundingClientRect());
    if (boxes[1].left < boxes[0].right) return 8;
    const list = rows.parentElement;
    const below = boxes[2].left < boxes[1].right ? pair.offsetHeight + 22 : 0;
    const around = list.offsetHeight - rows.offsetHeight + below;
    const row = rows.firstElementChild?.offsetHeight || 41;
    const high = this.timeline.many ? stage.parentElement.offsetHeight : stage.clientHeight;
    return clamp(Math.floor((high - around) / row), 5, 16);
  }

  buildRows(count) {
    this.ui.rows.replaceChildren();
    this.rowNodes = Array.from({ length: count }, (_, r) => {
      const li = make("li", "", this.ui.rows);
      const toggle = this.state.peel ? make("button", "a2c-switch", li) : null;
      if (toggle) Object.assign(toggle, { type: "button", _i: 0 }).setAttribute("role", "switch");
      const button = make("button", "a2c-row", li);
      button.type = "button";
      const number = make("span", "a2c-no", button);
      number.textContent = String(r + 1);
      const thumb = make("span", "a2c-thumb", button);
      const name = make("span", "a2c-name", button);
      const track = make("span", "a2c-track", button);
      const bar = make("i", "", track);
      const whisker = make("u", "", track);
      const share = make("span", "a2c-share", button);
      const reach = make("span", "a2c-reach", button);
      return { li, toggle, button, thumb, name, bar, whisker, share, reach, shown: null };
    });
    rove(
      this.rowNodes.map((row) => row.button),
      this.rowNodes[0].button,
    );
  }

  /** The primitive of the pair: under the mouse, else chosen, else the strongest at the probe. */
  shown() {
    const { preview, primitive } = this.state;
    return preview ? preview.i : primitive !== null ? primitive : this.order[0];
  }

  /** "attention" or "received": what the large map is when it is about the probed place. */
  answerKind() {
    return this.state.direction === "to" ? "received" : "attention";
  }

  /** Offset of map i at the time step of a frame. */
  offset(i, frame = this.state.still) {
    const { block } = this.state;
    return i * block.N + this.model.cellOf({ frame, x: 0, y: 0 }, block).t * block.h * block.w;
  }

  /** The value that is painted brightest. */
  top(kind, i) {
    const { block, scale } = this.state;
    if (scale === "absolute") return block.ceiling(kind);
    return kind === "attention" || kind === "received" ? this.facts.peak : block.peak(kind, i);
  }

  /** What the large overlay shows: the attention of the pixel, or a map of one primitive. */
  largeMap() {
    const { preview, layer, primitive } = this.state;
    if (preview) return { kind: preview.kind, i: preview.i };
    if (layer === "change") return { kind: layer, i: 0 };
    if (layer !== "attention" && primitive !== null) return { kind: layer, i: primitive };
    return { kind: this.answerKind(), i: 0 };
  }

  drawMap() {
    const { state, ui } = this;
    const { block } = state;
    const { kind, i } = this.largeMap();
    const asked = kind === "attention" || kind === "received";
    const maps = asked ? this.attention : block.maps(kind);
    const top = this.top(kind, i);
    const values = this.lens.enlarge(maps, this.offset(i, state.frame), top);
    this.mapFrame = state.frame;
    const words = this.overlayWords(COLOUR_OF[kind]);
    const pixels = this.imageWords;
    for (let j = 0; j < values.length; j++) pixels[j] = words[values[j]];
    this.pen.putImageData(this.image, 0, 0);

    const peak = asked ? this.facts.peak : block.peak(kind, i);
    const reach = about((asked ? this.facts.reach : block.reach[i]) / block.span);
    const box = !!state.region && !state.hover;
    const question = DIRECTIONS[state.direction][box ? "whatBox" : "what"];
    const what = {
      attention: question,
      received: question,
      gather: `Where primitive g${i} was gathered (θ)`,
      distribute: `Where primitive g${i} is handed out (ρ)`,
      change: "Where the block changed its input",
    }[kind];
    setText(ui.what, what);
    ui.back.hidden = asked || !!state.preview;
    ui.arrow.hidden = !asked || this.elsewhere;
    this.timeline.follow({ kind, maps, start: asked ? 0 : i * block.N, top, whole: this.wholeOf(kind) });
    const numbers = {
      attention: `${reach} of ${this.model.whole}, at most ${percent(peak)} in one cell`,
      received: `${reach} of ${this.model.whole}, at most ${percent(peak)} of a cell’s attention`,
      gather: `${reach} of ${this.model.whole}, at most ${percent(peak)} in one cell`,
      distribute: `at most ${percent(peak)} of a position`,
      change: `at most ${percent(peak)} of the size of what came in`,
    }[kind];
    setAttr(ui.overlay, "aria-label", `${this.model.alt}. ${what}: ${numbers}`);
    this.drawLegend(kind, top, peak);
  }

  /** What a map holds in all, for shares of it: the gather maps of frames attended to alone hold 1 each. */
  wholeOf(kind) {
    if (kind === "gather") return this.state.block.alone ? this.state.block.T : 1;
    return Math.max(1e-12, this.attention.reduce((sum, v) => sum + v, 0));
  }

  overlayWords(colour) {
    const id = `${colour} ${this.state.opacity}`;
    if (!this.words.has(id)) {
      if (this.words.size > 8) this.words.clear();
      this.words.set(id, overlayWords(colour, this.state.opacity));
    }
    return this.words.get(id);
  }

  drawLegend(kind, top, peak) {
    const { ui, state } = this;
    const { block } = state;
    const id = `${COLOUR_OF[kind]} ${state.opacity}`;
    if (this.rampShown !== id) {
      this.rampShown = id;
      const pen = ui.ramp.getContext("2d");
      const image = new ImageData(256, 1);
      new Uint32Array(image.data.buffer).set(this.overlayWords(COLOUR_OF[kind]));
      pen.putImageData(image, 0, 0);
    }
    const even = kind === "distribute" ? 1 / block.n : 1 / block.span;
    const at = top > 0 ? even / top : 2;
    ui.tick.hidden = kind === "change" || at > 1;
    ui.tick.style.transform = `translateX(${(clamp(at, 0, 1) * 100).toFixed(2)}%)`;
    setText(ui.even, kind === "change" ? "" : `│ even ${percent(even)}`);
    setText(ui.top, (state.scale === "absolute" && peak > top ? "≥\u202f" : "") + percent(top));
    const words = DIRECTIONS[kind === "received" ? "to" : "from"];
    const legend = {
      attention: { unit: words.unit, all: words.all, colour: words.colour },
      received: { unit: words.unit, all: words.all, colour: words.colour },
      gather: { unit: "attention per cell", all: "same for all maps", colour: "brighter: more is gathered there" },
      distribute: { unit: "share received", all: "same for all maps", colour: "brighter: more is handed out there" },
      change: { unit: "relative change |Y − X| / |X|", all: "up to as much as came in", colour: "brighter: changed more" },
    }[kind];
    setText(ui.legendTitle, legend.colour);
    setText(ui.legendUnit, legend.unit);
    setText(ui.legendScale, state.scale === "relative" ? "own peak" : legend.all);
    ui.legendUnit.dataset.term = { gather: "theta", distribute: "rho" }[kind] || kind;
    ui.legendScale.dataset.term = state.scale;
  }

  /** While the mouse moves the pair follows between two frames, so that the picture never waits for it. */
  drawPairBetween() {
    if (this.stop.signal.aborted) return;
    if (performance.now() - this.pairAt > PAIR_EVERY_MS) this.drawPair();
    else this.schedule("pair");
  }

  drawPair() {
    this.pairAt = performance.now();
    const { ui, state } = this;
    const { block } = state;
    const i = this.shown();
    const id = `${block.name} ${i} ${state.scale} ${state.still}`;
    if (this.pairShown !== id) {
      this.pairShown = id;
      const mini = this.mini("pair");
      mini.paint(ui.canvasGather, block.gather, this.offset(i), this.top("gather", i), "magma");
      mini.paint(ui.canvasDistribute, block.distribute, this.offset(i), this.top("distribute", i), "viridis");
      const gathered = `${about(block.reach[i] / block.span)} of ${this.model.whole} · peak ${percent(block.peak("gather", i))}`;
      const handed = `${percent(block.use[i])} on average · peak ${percent(block.peak("distribute", i))}`;
      setText(ui.noteGather, gathered);
      setText(ui.noteDistribute, handed);
      setAttr(ui.canvasGather, "aria-label", `Primitive ${i}, gathered from ${gathered} in one cell`);
      setAttr(ui.canvasDistribute, "aria-label", `Primitive ${i}, handed out: ${handed}`);
      setText(ui.pairTitle, `Primitive g${i}`);
      setText(ui.card, block.cards[i] || "");
      ui.card.title = block.cards[i] || "";
    }
    ui.card.hidden = !block.cards.some(Boolean);
    const rank = this.order.indexOf(i) + 1;
    const why = i === state.primitive ? "chosen · " : "";
    const place = rank === 1 ? "the strongest here" : `number ${rank} here`;
    setText(ui.pairNote, `${why}${place}, ${percent(this.weights[i])}`);
    ui.unchoose.hidden = i !== state.primitive;
    setAttr(ui.mapGather, "aria-pressed", String(state.layer === "gather"));
    setAttr(ui.mapDistribute, "aria-pressed", String(state.layer === "distribute"));
    for (const row of this.rowNodes || []) {
      const spread = this.spread[row.shown];
      const share = percent(this.weights[row.shown]) + (spread > 0 ? ` ± ${percent(spread)}` : "");
      const reach = about(block.reach[row.shown] / block.span);
      const place = this.order.indexOf(row.shown) + 1;
      const words = `Rank ${place}, primitive ${row.shown}: ${share} ${DIRECTIONS[state.direction].verb}, gathered from ${reach} of ${this.model.whole}`;
      setAttr(row.button, "aria-label", words);
      setAttr(row.button, "aria-pressed", String(row.shown === state.primitive));
      setAttr(row.li, "data-shown", row.shown === i ? "yes" : "");
      setAttr(row.li, "data-chosen", row.shown === state.primitive ? "yes" : "");
    }
  }

  mini(use) {
    const { block } = this.state;
    const id = `${use} ${block.name}`;
    if (!this.minis.has(id)) {
      const dpr = clamp(window.devicePixelRatio || 1, 1, 2);
      const side = Math.min(480, { row: 56, tile: 120, pair: 320 }[use] * dpr);
      this.minis.set(id, new Miniature(block.h, block.w, side));
    }
    const mini = this.minis.get(id);
    const picture = this.pictures[this.state.still];
    if (picture) mini.setPicture(picture);
    return mini;
  }

  // ---- gallery

  buildGallery() {
    const { block } = this.state;
    this.piles = new Set(); // groups of look-alikes that are open
    this.galleryOrder = null;
    for (const tile of this.tileNodes) {
      forget(tile._img);
      tile._img.src = NOTHING;
      tile._drawn = null;
    }
    if (this.tileNodes.length === block.n) return;
    this.seen.disconnect();
    this.tileNodes = Array.from({ length: block.n }, (_, i) => {
      const box = make("div", "a2c-tilebox");
      const button = make("button", "a2c-tile", box);
      button.type = "button";
      button._i = i;
      button._box = box;
      button._img = picture();
      button.append(button._img);
      const line = make("span", "", button);
      make("b", "", line).textContent = `g${i}`;
      button._number = make("em", "", line);
      this.seen.observe(button);
      return button;
    });
  }

  openPile(group) {
    if (!this.piles.delete(group)) this.piles.add(group);
    this.schedule("gallery");
  }

  /** Groups the look-alikes in short slices, once the gallery has been in sight. */
  findLookAlikes() {
    const { block } = this.state;
    if (block.groups || this.grouping === block || !this.tileNodes.some((tile) => tile._seen)) return;
    this.grouping = block;
    const work = block.lookAlikes();
    const slice = () => {
      if (this.stop.signal.aborted || this.grouping !== block) return;
      const until = performance.now() + SLICE_MS;
      while (performance.now() < until) {
        if (work.next().done) {
          this.grouping = null;
          this.schedule("gallery");
          return;
        }
      }
      setTimeout(slice);
    };
    slice();
  }

  /** True for the primitives that the filter asks for: numbers ("g12, 7"), else words of the card. */
  filtered() {
    const text = (this.state.filter || "").trim().toLowerCase();
    if (!text) return null;
    const tokens = text.split(/[\s,;]+/);
    if (tokens.every((token) => /^g?\d+$/.test(token))) {
      const wanted = new Set(tokens.map((token) => Number(token.replace("g", ""))));
      return (i) => wanted.has(i);
    }
    return (i) => (this.state.block.cards[i] || "").toLowerCase().includes(text);
  }

  /** Order by falling value with look-alikes behind the first of their group; which of them are hidden. */
  arrange(values) {
    const { block } = this.state;
    const wanted = this.filtered();
    const order = ranking(values);
    const members = new Map();
    for (const i of order) {
      const group = block.groups ? block.groups[i] : i;
      if (!members.has(group)) members.set(group, []);
      members.get(group).push(i);
    }
    const line = [];
    for (const [group, all] of members) {
      all.forEach((i, place) => {
        const hidden = wanted ? !wanted(i) : place > 0 && !this.piles.has(group);
        line.push({ i, group, hidden, more: !wanted && place === 0 ? all.length - 1 : 0 });
      });
    }
    return line;
  }

  sortGallery(repaint) {
    const { state, ui, model } = this;
    const { block } = state;
    const sort = state.sort === "effect" && !block.effect ? "rho" : state.sort;
    const p = block.index(model.cellOf(state.point, block));
    const rho = column(block.distribute, block.n, block.N, p, new Float32Array(block.n));
    const values = { rho, reach: block.reach, use: block.use, effect: block.effect?.map(Math.abs) }[sort];
    const line = this.arrange(values);
    const order = line.map((place) => place.i);
    if (this.galleryOrder?.join() !== order.join()) {
      this.galleryOrder = order;
      ui.grid.replaceChildren(...order.map((i) => this.tileNodes[i]._box));
    }
    for (const { i, group, hidden, more } of line) {
      const tile = this.tileNodes[i];
      const numbers = { reach: () => percent(block.reach[i] / block.span), effect: () => points(block.effect[i]) + POINTS };
      setText(tile._number, (numbers[sort] || (() => percent(values[i])))());
      setAttr(tile, "aria-pressed", String(i === state.primitive));
      const card = block.cards[i] || "";
      const effect = block.effect ? `, ${points(block.effect[i])} points of the prediction when switched off` : "";
      setAttr(
        tile,
        "aria-label",
        `Primitive ${i}: ${percent(rho[i])} at the pixel, gathered from ${about(block.reach[i] / block.span)} of ${this.model.whole}, ${percent(block.use[i])} in use${effect}${card ? `. ${card}` : ""}`,
      );
      if (tile.title !== card) tile.title = card;
      if (tile._box.hidden !== hidden) tile._box.hidden = hidden;
      this.drawPile(tile, group, more);
      if (repaint) tile._drawn = null;
    }
    const shown = line.filter((place) => !place.hidden).map((place) => this.tileNodes[place.i]);
    if (!shown.includes(this.root.getRootNode().activeElement)) rove(this.tileNodes, shown[0]);
    setText(ui.galleryTitle, `All ${block.n} primitives`);
    const filter = this.filtered();
    const waiting = state.sort === "effect" && !block.effect && model.measures.includes("effect");
    if (waiting) setText(ui.found, "measuring effects; by ρ until then");
    else setText(ui.found, filter ? (shown.length ? `${shown.length} found` : `none found for “${state.filter.trim()}”`) : "");
    const open = this.root.dataset.open === "yes";
    setText(ui.more, open ? "Show fewer" : `Show all ${block.n}`);
    setAttr(ui.more, "aria-expanded", String(open));
  }

  /** "+2" on the first of a group of look-alikes. */
  drawPile(tile, group, more) {
    const box = tile._box;
    setAttr(box, "data-pile", more ? "yes" : "");
    if (!more && !tile._pile) return;
    if (!tile._pile) {
      tile._pile = make("button", "a2c-pile", box);
      tile._pile.type = "button";
    }
    tile._pile.hidden = !more;
    tile._pile._group = group;
    const open = this.piles.has(group);
    setText(tile._pile, open ? `−${more}` : `+${more}`);
    setAttr(tile._pile, "aria-expanded", String(open));
    const label = `${more} more gathered from nearly the same places as g${tile._i}`;
    setAttr(tile._pile, "aria-label", label);
    setAttr(tile._pile, "title", label);
  }

  /** Draws the tiles that are in sight and not drawn yet. */
  drawTiles() {
    const { state } = this;
    const { block, tiles: kind } = state;
    this.findLookAlikes();
    const mini = this.mini("tile");
    const id = `${kind} ${state.scale} ${state.still}`;
    const until = performance.now() + TILES_MS;
    for (const tile of this.tileNodes) {
      if (!tile._seen || tile._drawn === id) continue;
      if (performance.now() > until) {
        this.tilesLater();
        return;
      }
      tile._drawn = id;
      mini.show(tile._img, block.maps(kind), this.offset(tile._i), this.top(kind, tile._i), COLOUR_OF[kind]);
    }
  }

  /** The next tiles after the next frame and whatever the mouse did meanwhile. */
  tilesLater() {
    this.slice ||= setTimeout(() => {
      this.slice = 0;
      this.schedule("tiles");
    });
  }

  tilesAcross() {
    return getComputedStyle(this.ui.grid).gridTemplateColumns.split(" ").length;
  }

  // ---- for tests and curious people

  snapshot() {
    const { state, model } = this;
    return {
      key: model.key,
      block: state.block.name,
      cell: model.cellOf(state.hover || state.point, state.block),
      rest: model.cellOf(state.point, state.block),
      hovering: !!state.hover,
      pinned: state.pinned,
      region: this.report().view.region,
      direction: state.direction,
      weights: Array.from(this.weights),
      spread: Array.from(this.spread),
      terms: { ...this.terms },
      primitive: state.primitive,
      shown: this.shown(),
      large: this.largeMap(),
      rho: Array.from(this.rho),
      order: [...this.order],
      attention: Array.from(this.attention),
      gallery: [...(this.galleryOrder || [])],
      pins: this.report().view.pins,
      active: state.active,
      frame: state.frame,
      playing: this.timeline.playing,
      moments: Array.from(this.timeline.shares || []),
      presentation: state.presentation,
      ready: !this.raf && !this.slice && this.timeline.ready && !this.grouping && this.dirty.size === 0 && this.pictures.filter(Boolean).length === model.frames.length,
    };
  }

  destroy() {
    this.stop.abort();
    cancelAnimationFrame(this.raf);
    clearTimeout(this.slice);
    this.size.disconnect();
    this.seen.disconnect();
    this.told.cancel();
    this.views.cancel();
    this.forgetPainted();
    for (const tile of this.tileNodes) forget(tile._img);
    for (const mark of this.pinMarks) mark.remove();
    this.tips.tip.remove();
    this.tour.card.remove();
    this.timeline.destroy();
    delete this.root.__canvas;
  }
}

/** Runs after the frame being drawn has been painted. */
function afterPaint(run) {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    channel.port1.close();
    run();
  };
  channel.port2.postMessage(0);
}

/**
 * Shows a payload in `root`, an element that holds the markup of canvas.html.
 * onPin(report) on a pin, a chosen primitive or a changed block; onView(report) on a changed setting.
 */
function mount(root, payload, options = {}) {
  const probe = new Probe(root, payload, options);
  root.__canvas = probe;
  return { update: (next, view) => probe.update(next, view), destroy: () => probe.destroy() };
}
