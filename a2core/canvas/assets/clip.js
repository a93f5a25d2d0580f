/*
 * A clip on the probe canvas: playing and scrubbing, how much comes from each moment, all frames at a
 * glance. A picture shows none of it.
 *
 * It stands between words.js and canvas.js in one module. It decides which frame is on show and when;
 * the maps and what they mean are the Probe's.
 */

const SPEEDS = { 0: "as filmed", 4: "4 a second", 8: "8 a second", 24: "24 a second" };
const SETTLE_MS = 160; // after the last change of frame the small maps follow
const STRIP_EVERY_MS = 150; // at most this often while the pointer moves or the clip plays
const STRIP_TILE_PX = 88; // narrowest of the small frames
const LONGEST_PAUSE_S = 2; // between two frames when played as filmed

/** What the bars over time say, for each kind of map. */
const MOMENTS = {
  attention: { title: "Comes from each moment", tile: "comes from here", share: true },
  received: { title: "Goes to each moment", tile: "goes here", share: true },
  gather: { title: "Gathered at each moment", tile: "is gathered here", share: true },
  distribute: { title: "Handed to each moment, on average", tile: "is handed out here on average", share: false },
  change: { title: "Changed at each moment, on average", tile: "is changed here on average", share: false },
};

class Timeline {
  constructor(probe) {
    this.probe = probe;
    this.playing = false;
    this.bars = [];
    this.tiles = [];
    this.stripAt = 0;
    const { ui, stop } = probe;
    const on = (node, type, run) => node.addEventListener(type, run, { signal: stop.signal });
    for (const [value, text] of Object.entries(SPEEDS)) {
      Object.assign(make("option", "", ui.speed), { value, textContent: text });
    }
    on(ui.play, "click", () => this.play(!this.playing));
    on(ui.frame, "input", () => {
      this.play(false);
      this.show(Number(ui.frame.value));
    });
    on(ui.speed, "change", () => probe.setting({ speed: Number(ui.speed.value) }));
    on(ui.bars, "click", (event) => {
      const box = ui.bars.getBoundingClientRect();
      this.jump(Math.floor(((event.clientX - box.left) / box.width) * this.count));
    });
    on(ui.strip, "click", (event) => {
      const tile = event.target.closest?.("button");
      if (tile) this.jump(tile._t);
    });
    on(ui.strip, "keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.across, ArrowUp: -this.across }[event.key];
      if (!by) return;
      event.preventDefault();
      this.jump(this.probe.state.frame + by);
      this.tiles[this.probe.state.frame].focus();
    });
  }

  get count() {
    return this.probe.model.frames.length;
  }

  get many() {
    return this.count > 1;
  }

  /** A new payload: what has one part for each frame is built anew. */
  load() {
    const { ui, model } = this.probe;
    this.play(false);
    this.cancel();
    ui.clip.hidden = ui.strip.hidden = !this.many;
    this.probe.root.dataset.clip = this.many ? "yes" : "";
    this.bars = [];
    this.tiles = [];
    this.minis = null;
    this.across = 0;
    for (const tile of [...ui.strip.querySelectorAll("button")]) tile.remove();
    ui.bars.replaceChildren();
    if (!this.many) return;
    ui.frame.max = String(this.count - 1);
    ui.clip.style.setProperty("--frames", String(this.count));
    for (let t = 0; t < this.count; t++) {
      this.bars.push(make("b", "", make("i", "", ui.bars)));
      const tile = make("button", "", ui.strip);
      Object.assign(tile, { type: "button", _t: t });
      make("span", "", tile).textContent = seconds(model.times[t]);
      tile._share = make("b", "", tile);
      this.tiles.push(tile);
    }
    rove(this.tiles, this.tiles[0]);
  }

  // ---- which frame is on show

  /** The frame on show; what is under the pointer, and the place at rest unless pinned, go along. */
  show(frame) {
    const { probe } = this;
    const { state } = probe;
    state.frame = clamp(frame, 0, this.count - 1);
    if (state.hover) state.hover = { ...state.hover, frame: state.frame };
    if (!state.pinned) state.point = probe.rest = { ...state.point, frame: state.frame };
    probe.schedule("picture", "probe");
    clearTimeout(this.settling);
    this.settling = this.playing ? 0 : setTimeout(() => this.settle(), SETTLE_MS);
  }

  /** The small maps follow the frame on show. */
  settle() {
    const { probe } = this;
    this.cancel();
    if (probe.stop.signal.aborted) return;
    probe.state.still = probe.state.frame;
    probe.schedule("all", "picture");
  }

  cancel() {
    clearTimeout(this.settling);
    this.settling = 0;
  }

  jump(frame) {
    this.play(false);
    this.show(frame);
  }

  play(on) {
    if (on === this.playing || (on && !this.many)) return;
    const { ui } = this.probe;
    this.playing = on;
    ui.play.dataset.playing = on ? "yes" : "";
    setAttr(ui.play, "aria-label", on ? "Pause" : "Play");
    cancelAnimationFrame(this.loop);
    if (on) {
      this.cancel();
      this.due = 0;
      this.loop = requestAnimationFrame((now) => this.tick(now));
    } else this.settle();
  }

  /** No frame is left out: a slow machine plays slower. */
  tick(now) {
    if (!this.playing || this.probe.stop.signal.aborted) return;
    const wait = this.interval_ms();
    this.due ||= now + wait;
    if (now >= this.due - 4) {
      this.due = Math.max(this.due + wait, now);
      this.show((this.probe.state.frame + 1) % this.count);
    }
    this.loop = requestAnimationFrame((later) => this.tick(later));
  }

  interval_ms() {
    const { state, model } = this.probe;
    if (state.speed) return 1000 / state.speed;
    const { times } = model;
    const mean = (times.at(-1) - times[0]) / (this.count - 1);
    const here = state.frame + 1 < this.count ? times[state.frame + 1] - times[state.frame] : mean;
    return 1000 * clamp(here, 0.02, LONGEST_PAUSE_S);
  }

  /** Space, comma and full stop; true when the key was one of them. */
  key(event) {
    if (!this.many) return false;
    if (event.key === " ") this.play(!this.playing);
    else if (event.key === "," || event.key === ".") this.jump(this.probe.state.frame + (event.key === "." ? 1 : -1));
    else return false;
    return true;
  }

  // ---- drawing

  /** The position of the player. */
  drawNow() {
    if (!this.many) return;
    const { ui, state, model } = this.probe;
    const at = `frame ${state.frame + 1} of ${this.count}, ${seconds(model.times[state.frame])}`;
    ui.frame.value = String(state.frame);
    setAttr(ui.frame, "aria-valuetext", at);
    setText(ui.frameOut, at);
    if (Number(ui.speed.value) !== state.speed) ui.speed.value = String(state.speed);
    const place = state.hover || state.point;
    this.bars.forEach((bar, t) => {
      setAttr(bar.parentElement, "data-now", t === state.frame ? "yes" : "");
      setAttr(bar.parentElement, "data-place", t === place.frame ? "yes" : "");
    });
  }

  /**
   * The map over time. `maps` holds T maps one after the other from `start`; `whole` is what all of them
   * hold together where that is a share, and `top` is painted brightest.
   */
  follow({ kind, maps, start, top, whole }) {
    if (!this.many) return;
    const { ui, state } = this.probe;
    const { block } = state;
    const size = block.h * block.w;
    const words = MOMENTS[kind];
    this.shares = Float64Array.from({ length: this.count }, (_, frame) => {
      const at = start + this.stepOf(frame) * size;
      let sum = 0;
      for (let j = at; j < at + size; j++) sum += maps[j];
      return words.share ? sum / whole : sum / size;
    });
    const most = this.shares.reduce((a, b) => Math.max(a, b), 1e-12);
    this.bars.forEach((bar, t) => {
      const height = `scaleY(${(this.shares[t] / most).toFixed(3)})`;
      if (bar._shown !== height) bar.style.transform = bar._shown = height;
    });
    const peak = this.shares.indexOf(most);
    setText(ui.momentsTitle, words.title);
    const there = `${percent(most)} at ${seconds(this.probe.model.times[peak])}`;
    setText(ui.moments, `now ${percent(this.shares[state.frame])} · at most ${there}`);
    setAttr(ui.bars, "data-kind", kind);
    this.painting = { kind, maps, start, top };
    const wait = STRIP_EVERY_MS - (performance.now() - this.stripAt);
    if (wait <= 0) this.drawStrip();
    else this.stripLater ||= setTimeout(() => this.drawStrip(), wait);
  }

  /** The time step of the block that a frame belongs to. */
  stepOf(frame) {
    const { model, state } = this.probe;
    return model.cellOf({ frame, x: 0, y: 0 }, state.block).t;
  }

  layOut(mini) {
    const { ui, model } = this.probe;
    const most = Math.max(1, Math.floor(ui.strip.clientWidth / (STRIP_TILE_PX * Math.max(0.6, Math.min(1, model.width / model.height)))));
    const across = Math.ceil(this.count / Math.ceil(this.count / Math.min(this.count, most)));
    const down = Math.ceil(this.count / across);
    const [width, height] = [across * mini.width, down * mini.height];
    if (this.across === across && ui.stripCanvas.width === width && ui.stripCanvas.height === height) return;
    this.across = across;
    Object.assign(ui.stripCanvas, { width, height });
    ui.strip.style.setProperty("--across", String(across));
    ui.strip.style.aspectRatio = `${across * model.width} / ${down * model.height}`;
  }

  /** All frames small, each with its map. */
  drawStrip() {
    clearTimeout(this.stripLater);
    this.stripLater = 0;
    if (!this.many || this.probe.stop.signal.aborted) return;
    this.stripAt = performance.now();
    const { ui, state, model, pictures } = this.probe;
    const { block } = state;
    const { kind, maps, start, top } = this.painting;
    const side = STRIP_TILE_PX * 1.5 * clamp(window.devicePixelRatio || 1, 1, 2);
    if (this.minis?.block !== block) {
      this.minis = Array.from({ length: this.count }, () => new Miniature(block.h, block.w, side));
      this.minis.block = block;
    }
    this.layOut(this.minis[0]);
    const pen = ui.stripCanvas.getContext("2d");
    const size = block.h * block.w;
    this.minis.forEach((mini, t) => {
      if (pictures[t]) mini.setPicture(pictures[t]);
      const image = mini.image(maps, start + this.stepOf(t) * size, top, COLOUR_OF[kind]);
      pen.putImageData(image, (t % this.across) * mini.width, Math.floor(t / this.across) * mini.height);
    });
    const words = MOMENTS[kind];
    this.tiles.forEach((tile, t) => {
      const share = percent(this.shares[t]);
      setText(tile._share, share);
      setAttr(tile, "aria-label", `Frame ${t + 1}, ${seconds(model.times[t])}: ${share} ${words.tile}`);
      setAttr(tile, "aria-pressed", String(t === state.frame));
    });
    if (!this.tiles.includes(this.probe.root.getRootNode().activeElement)) rove(this.tiles, this.tiles[state.frame]);
  }

  /** Whether all that was asked for is drawn. */
  get ready() {
    return !this.settling && !this.stripLater;
  }

  destroy() {
    this.play(false);
    this.cancel();
    clearTimeout(this.stripLater);
  }
}

/** A time as people read it. */
function seconds(time) {
  return `${(time ?? 0).toFixed(2)}${THIN}s`;
}

