/*
 * What a built site says of itself (site.json), and the worker as promises.
 */

import { Fault } from "./load.js";
import { FAULT, LANGUAGE } from "./words.js";

/** @typedef {import("./load.js").Listed} Listed */
/** @typedef {import("../../canvas/assets/model.js").Payload} Payload */
/**
 * @typedef {object} Site
 * @property {string} version
 * @property {Record<string, string[]>} kept files of other languages than English, which their pages keep for offline
 * @property {boolean} trained
 * @property {string[]} labels
 * @property {{ mean: number[], std: number[], multiple_px: number }} input
 * @property {import("./pack.js").Place[]} blocks
 * @property {{ script: string, glue: string, wasm: Listed }} runtime
 * @property {{ file: Listed, parts: { block: string, at: [number, number], hand: [number, number] | null }[] }} network
 * @property {{ title: string, credit: string, top: Top[], view: Record<string, unknown> }} sample
 * @property {import("./webgpu.js").Files} webgpu what those need who have a graphics card
 * @property {import("./elsewhere.js").Exemplars | null} exemplars of an atlas, where one was built in
 * @property {Record<string, import("../../canvas/glossary/glossary.js").Told>} glossary by language
 */
/** @typedef {{ label: string, share: number }} Top */
/** @typedef {{ payload: Payload, top: Top[], ms: number, onCard: boolean }} Traced */
/** @typedef {{ label: string, before: number, after: number, odds: number }} Shift */

/** Whether the browser has all that the network needs. */
export function isAble() {
  const needs = ["WebAssembly", "Worker", "OffscreenCanvas", "DecompressionStream", "createImageBitmap"];
  return needs.every((name) => name in window);
}

/** The file of a built site in a language; English ones have no mark. @param {string} name @param {string} language */
export const inLanguage = (name, language) =>
  language === "en" ? name : name.replace(/(?=\.\w+$)/, `.${language}`);

export class Work {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Map<number, { done: (result: any) => void, failed: (fault: Fault) => void, tell: (share: number) => void }>} */
  #open = new Map();
  /** @type {Promise<void> | null} */
  #ready = null;
  #count = 0;
  threads = 1;

  /** @param {Site} site @param {(share: number) => void} tell */
  constructor(site, tell) {
    this.site = site;
    this.tell = tell;
  }

  /** The network, fetched and started; once, and again after a fault. */
  ready() {
    this.#ready ??= this.#start().catch((fault) => {
      this.#ready = null;
      throw fault;
    });
    return this.#ready;
  }

  async #start() {
    if (!isAble()) throw new Fault(FAULT.old);
    const { threads } = await this.ask("open", { site: this.site, base: document.baseURI }, [], this.tell);
    this.threads = threads;
  }

  #made() {
    const worker = new Worker(inLanguage("worker.js", LANGUAGE), { type: "module" });
    worker.onmessage = ({ data: { id, share, result, fault } }) => {
      const open = this.#open.get(id);
      if (share !== undefined) open?.tell(share);
      else {
        this.#open.delete(id);
        if (fault === undefined) open?.done(result);
        else open?.failed(new Fault(fault));
        if (fault === FAULT.memory) this.#broken(); // what ran out of memory runs nothing more
      }
    };
    worker.onerror = () => this.#broken();
    return worker;
  }

  /** The worker itself could not be had, or died. */
  #broken() {
    const open = [...this.#open.values()];
    this.#open.clear();
    this.#worker?.terminate();
    this.#worker = null;
    this.#ready = null;
    for (const { failed } of open) failed(new Fault(FAULT.unreachable));
  }

  /**
   * @param {"open" | "trace" | "change" | "has" | "payload" | "quicken"} kind
   * @param {object} asked
   * @param {Transferable[]} handed
   * @param {(share: number) => void} tell
   * @returns {Promise<any>}
   */
  ask(kind, asked, handed = [], tell = () => {}) {
    this.#worker ??= this.#made();
    const id = ++this.#count;
    return new Promise((done, failed) => {
      this.#open.set(id, { done, failed, tell });
      this.#worker?.postMessage({ id, kind, asked }, handed);
    });
  }

  /**
   * @param {{ bitmaps: ImageBitmap[], times_s: number[], size: number, key: string, alt: string, mirrored?: boolean }} asked
   * @param {(share: number) => void} [tell]
   * @returns {Promise<Traced>}
   */
  async trace(asked, tell) {
    await this.ready();
    return this.ask("trace", { mirrored: false, ...asked }, asked.bitmaps, tell);
  }
}
