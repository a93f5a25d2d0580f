/*
 * The page: the canvas with the sample in it at once, and whatever a person brings, traced by the worker.
 */

import { mount } from "../../canvas/assets/mount.js";
import { percent } from "../../canvas/assets/numbers.js";
import { goneOnFrom } from "../../canvas/assets/protocol.js";
import { Glossary } from "../../canvas/glossary/glossary.js";
import { Elsewhere } from "./elsewhere.js";
import { Experiment } from "./experiment.js";
import { Live } from "./live.js";
import { cacheName, Fault } from "./load.js";
import { fileIn, framesOf } from "./picture.js";
import { Work } from "./site.js";
import { asLink, savePage, viewInAddress } from "./take.js";
import {
  FAULT,
  FROZEN,
  fetching,
  LANGUAGE,
  READING,
  STARTING,
  sampleSaid,
  traced,
  tracing,
  YOUR_CAMERA,
} from "./words.js";

/** @typedef {import("./site.js").Payload} Payload */
/** @typedef {import("./site.js").Site} Site */
/** @typedef {import("./site.js").Top} Top */
/** @typedef {import("../../canvas/assets/protocol.js").Report} Report */
/** @typedef {{ payload: Payload, top: Top[], title: string }} Shown */

const SIZE_PX = 448; // long side of what the network sees

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {string} name */
async function json(name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Fault(FAULT.unreachable);
  return answer.json();
}

class Page {
  #turn = 0; // of what was brought last
  #number = 0;
  /** @type {Report | null} */
  #said = null;
  #small = false;

  /** @param {Site} site @param {Payload} sample */
  constructor(site, sample) {
    this.site = site;
    /** @type {Shown} */
    this.sample = { payload: sample, top: site.sample.top, title: sampleSaid(site.sample.title) };
    this.shown = this.sample;
    this.work = new Work(site, (share) => this.progress(share < 1 ? fetching(share) : STARTING));
    this.root = /** @type {HTMLElement} */ (document.querySelector("[data-a2-root]"));
    const view = viewInAddress() ?? site.sample.view;
    this.canvas = this.#mounted(sample, view, false);
    this.live = new Live(this.work, {
      show: (found) => this.#showLive(found),
      frozen: (found) => {
        this.show({ ...found, title: YOUR_CAMERA });
        this.say(FROZEN);
      },
      gone: () => this.#leaveLive(),
      say: (words, isFault) => this.say(words, isFault),
    });
    this.experiment = new Experiment(this.work, site, {
      sample: () => this.#ensureSample(),
      shown: () => this.#snapshot(),
    });
    this.elsewhere = new Elsewhere(site, this.root, () => this.#snapshot());
    this.#listen();
    this.#drawAnswer();
    this.experiment.show(this.shown, true);
  }

  /** @param {Payload} payload @param {Record<string, unknown>} view @param {boolean} small */
  #mounted(payload, view, small) {
    this.#small = small;
    const tell = (/** @type {Report} */ report) => {
      this.#said = report;
      this.experiment?.follow(true);
      this.elsewhere?.follow();
    };
    return mount(this.root, payload, { view, onPin: tell, onView: tell, small });
  }

  #snapshot() {
    const { __canvas } = /** @type {HTMLElement & { __canvas?: { snapshot(): any } }} */ (this.root);
    const { block, shown } = __canvas?.snapshot() ?? {};
    return { block: String(block), primitive: Number(shown ?? 0) };
  }

  #listen() {
    const file = /** @type {HTMLInputElement} */ (find("file"));
    find("choose").addEventListener("click", () => file.click());
    file.addEventListener("change", () => {
      if (file.files?.[0]) this.bring(file.files[0]);
      file.value = ""; // the same file can be chosen again
    });
    find("camera").addEventListener("click", () => this.live.start());
    find("back").addEventListener("click", () => {
      this.live.stop();
      this.show(this.sample, this.site.sample.view);
      this.say("");
    });
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      const dropped = fileIn(event.dataTransfer);
      if (dropped) this.bring(dropped);
    });
    document.addEventListener("paste", (event) => {
      const pasted = fileIn(event.clipboardData);
      if (pasted) this.bring(pasted);
    });
    find("save").addEventListener("click", () => this.#save());
    find("link").addEventListener("click", async () => {
      const own = this.shown !== this.sample;
      find("taken").textContent = await asLink(own ? null : goneOnFrom({}, this.#said));
    });
  }

  /** @param {string} words */
  say(words, isFault = false) {
    const status = find("status");
    status.textContent = words;
    status.toggleAttribute("data-fault", isFault);
  }

  /** How far the network is; a fault that is read stays. @param {string} words */
  progress(words) {
    if (!find("status").hasAttribute("data-fault")) this.say(words);
  }

  /** A file of a person's, traced and shown; what was on screen stays until then, and if it cannot be. @param {File} file */
  async bring(file) {
    const turn = ++this.#turn;
    this.live.stop();
    try {
      this.say(READING);
      const { bitmaps, times_s } = await framesOf(file);
      await this.work.ready();
      if (turn !== this.#turn) return; // another was chosen meanwhile
      this.say(tracing(0));
      const asked = { bitmaps, times_s, size: SIZE_PX, key: `own-${++this.#number}`, alt: file.name };
      const found = await this.work.trace(asked, (share) => this.say(tracing(share)));
      if (turn !== this.#turn) return;
      this.show({ ...found, title: file.name });
      this.say(traced(found.ms, found.onCard ? 0 : this.work.threads));
    } catch (fault) {
      if (turn === this.#turn) this.say(fault instanceof Fault ? fault.message : FAULT.run, true);
    }
  }

  /** @param {Shown} shown @param {Record<string, unknown>} view */
  show(shown, view = {}) {
    this.shown = shown;
    this.#said = null;
    if (this.#small) {
      this.canvas.destroy();
      this.canvas = this.#mounted(shown.payload, view, false);
    } else this.canvas.update(shown.payload, view);
    document.body.toggleAttribute("data-live", false);
    find("back").hidden = shown === this.sample;
    this.#drawAnswer();
    this.experiment.show(shown, shown === this.sample);
    this.elsewhere.follow();
    find("taken").textContent = "";
  }

  /** @param {import("./site.js").Traced} found */
  #showLive(found) {
    this.shown = { ...found, title: "" };
    if (!this.#small) {
      this.canvas.destroy();
      this.canvas = this.#mounted(found.payload, {}, true);
      document.body.toggleAttribute("data-live", true);
    } else this.canvas.update(found.payload, null);
    this.#drawAnswer();
  }

  #leaveLive() {
    if (this.#small) this.show(this.sample, this.site.sample.view);
  }

  #drawAnswer() {
    const rows = this.shown.top.map(({ label, share }) => {
      const row = document.createElement("li");
      const bar = document.createElement("i");
      bar.style.width = `${100 * share}%`;
      row.append(label, Object.assign(document.createElement("span"), { textContent: percent(share) }), bar);
      return row;
    });
    find("top").replaceChildren(...rows);
    find("credit").textContent = this.shown === this.sample ? this.site.sample.credit : "";
  }

  /** Has the worker trace the sample, whose maps came with the page. */
  async #ensureSample() {
    const { key, frames } = this.sample.payload;
    await this.work.ready();
    if (await this.work.ask("has", { key })) return;
    const image = new Image();
    image.src = String(frames[0]);
    await image.decode();
    const bitmaps = [await createImageBitmap(image)];
    const size = Math.max(image.naturalWidth, image.naturalHeight);
    await this.work.trace({ bitmaps, times_s: [0], size, key, alt: "" });
    this.say("");
  }

  async #save() {
    const taken = find("taken");
    try {
      await savePage(this.shown, goneOnFrom({}, this.#said));
      taken.textContent = "";
    } catch {
      taken.textContent = FAULT.page;
    }
  }
}

/** Keeps the site for when there is no network; where the browser refuses, it works with one. @param {Site} site */
async function keepOffline({ kept, version }) {
  try {
    await navigator.serviceWorker?.register("sw.js");
    if (kept[LANGUAGE]) {
      const cache = await caches.open(cacheName(new URL(document.baseURI), version));
      await cache.addAll(kept[LANGUAGE]);
    }
    await navigator.serviceWorker?.ready;
    document.documentElement.dataset.offline = "yes";
  } catch {
    // In private windows and over http there is none.
  }
}

async function open() {
  const [site, sample] = await Promise.all([json("site.json"), json("sample.json")]);
  const symbols = /** @type {HTMLElement} */ (document.querySelector(".a2-symbols"));
  const inside = /** @type {HTMLElement} */ (symbols.shadowRoot?.querySelector("[data-a2-glossary]"));
  if (inside) new Glossary(inside).show(site.glossary[LANGUAGE]);
  const page = new Page(site, sample);
  Object.assign(window, { a2Page: page }); // for tests and curious people
  const { saveData } = /** @type {{ connection?: { saveData?: boolean } }} */ (navigator).connection ?? {};
  try {
    if (!saveData) await page.work.ready();
    page.progress("");
  } catch (fault) {
    page.say(fault instanceof Fault ? fault.message : FAULT.unreachable, true);
  }
  await keepOffline(site);
  if (saveData) return;
  await page.elsewhere.keep().catch(() => {}); // without a network those that were looked at are there
  const anyway = new URLSearchParams(location.search).has("webgpu"); // to try it, where a processor plays the card, too
  await page.work.ask("quicken", { base: document.baseURI, anyway }).catch(() => {});
}

export function start() {
  open().catch(() => {
    find("status").textContent = FAULT.unreachable;
  });
}

start();
