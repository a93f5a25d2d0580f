/*
 * The network off the page's own thread: it is fetched, run, and asked again for experiments.
 *
 * One question at a time, in their order; answers carry the question's number.
 */

import { best, movedBy, probabilities, shifts } from "./change.js";
import { Fault, fetched } from "./load.js";
import { bare, base64, payloadOf } from "./pack.js";
import { inputShape, resized, standardised } from "./pixels.js";
import { Network } from "./run.js";
import { agree, onCard } from "./webgpu.js";
import { FAULT, STOP } from "./words.js";

/** @typedef {import("./site.js").Site} Site */
/** @typedef {import("./run.js").Told} Told */
/**
 * @typedef {object} Kept
 * @property {Told[]} blocks
 * @property {() => Promise<import("./site.js").Payload>} [payload] as files hold it, of what was shown without being packed
 */

const MOST_KEPT = 6; // traces that can be experimented with
const MOST_THREADS = 4;
const SMALL = 2; // sides of the picture that a graphics card is tried with first, as multiples of what they must be
const LIVE = "live-"; // begins the keys of the camera's frames

/** @type {{ network: Network, plain: Network, site: Site, threads: number, file: Uint8Array<ArrayBuffer> | null } | null} */
let ready = null;
/** @type {Network | null} on a graphics card, until a picture has shown whether it is as good */
let candidate = null;
let forced = false; // somebody wants to see it, however long it takes
/** @type {Map<string, Kept>} */
const kept = new Map();

/** @param {{ site: Site, base: string }} asked @param {(share: number) => void} tell */
async function open({ site, base }, tell) {
  if (ready) return { threads: ready.threads };
  const root = new URL(base);
  const { runtime, network: listed } = site;
  const total = runtime.wasm.sent + listed.file.sent;
  let come = 0;
  const count = (/** @type {number} */ bytes) => {
    come += bytes;
    tell(Math.min(1, come / total));
  };
  const module = import(new URL(runtime.script, root).href).catch(() => {
    throw new Fault(FAULT.unreachable);
  });
  const [ort, wasm, file] = await Promise.all([
    module,
    fetched(root, runtime.wasm, site.version, count),
    fetched(root, listed.file, site.version, count),
  ]);
  const threads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;
  ort.env.wasm.wasmBinary = wasm.buffer;
  ort.env.wasm.wasmPaths = { mjs: new URL(runtime.glue, root).href };
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error";
  const session = (/** @type {[number, number]} */ [from, to]) =>
    ort.InferenceSession.create(file.subarray(from, to), { executionProviders: ["wasm"] });
  const parts = [];
  for (const { block, at, hand } of listed.parts)
    parts.push({ block, session: await session(at), hand: hand && (await session(hand)) });
  const network = new Network(parts, ort.Tensor);
  ready = { network, plain: network, site, threads, file: "gpu" in navigator ? file : null };
  return { threads };
}

/** Has a graphics card ready for the next picture, where there is one. @param {{ base: string, anyway: boolean }} asked */
async function quicken({ base, anyway }) {
  if (!ready?.file) return;
  const { site, file, plain } = ready;
  ready.file = null; // tried once
  forced = anyway;
  candidate = await onCard(site.webgpu, new URL(base), site.version, file, plain, anyway).catch(() => null);
}

/**
 * Runs a picture on the graphics card too, after it was answered; whoever says the same in less time goes on.
 * @param {Float32Array} x @param {number[]} dims @param {import("./run.js").Ran} expected @param {number} ms
 */
async function judge(x, dims, expected, ms) {
  const card = candidate;
  if (!card || !ready) return;
  const took = async (/** @type {() => Promise<unknown>} */ run) => {
    await run(); // the first of a size makes the card's programs
    const since = performance.now();
    await run();
    return performance.now() - since;
  };
  try {
    const side = SMALL * ready.site.input.multiple_px;
    const small = [1, 3, side, side];
    const crumb = x.subarray(0, 3 * side * side);
    // A card that is slow shows it on a small picture, for which nobody waits long.
    if (!forced && (await took(() => card.run(crumb, small))) > ms) return;
    /** @type {import("./run.js").Ran | null} */
    let found = null;
    const whole = await took(async () => {
      found = await card.run(x, dims);
    });
    if ((whole < ms || forced) && found && agree(found, expected)) ready.network = card;
  } catch {
    // It is not asked again.
  } finally {
    candidate = null;
  }
}

/** A card may be taken away, or run out of memory: the processor goes on then. */
async function ran(
  /** @type {Float32Array} */ x,
  /** @type {number[]} */ dims,
  /** @type {(share: number) => void} */ tell,
) {
  if (!ready) throw new Fault(FAULT.unreachable);
  try {
    return await ready.network.run(x, dims, tell);
  } catch (fault) {
    if (ready.network === ready.plain) throw fault;
    ready.network = ready.plain;
    return ready.network.run(x, dims, tell);
  }
}

/**
 * The pixels of a picture as the network sees it, RGB.
 * @param {ImageBitmap} bitmap
 * @param {{ height: number, width: number }} shape
 * @param {boolean} mirrored
 */
function seen(bitmap, shape, mirrored) {
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (
    canvas.getContext("2d", { willReadFrequently: true })
  );
  pen.fillStyle = "#fff"; // behind what is transparent
  pen.fillRect(0, 0, width, height);
  if (mirrored) pen.setTransform(-1, 0, 0, 1, width, 0);
  pen.drawImage(bitmap, 0, 0);
  bitmap.close();
  return resized(pen.getImageData(0, 0, width, height).data, height, width, shape.height, shape.width);
}

/** @param {Uint8Array} rgb @param {{ height: number, width: number }} shape */
function painted(rgb, { height, width }) {
  const canvas = new OffscreenCanvas(width, height);
  const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = pen.createImageData(width, height);
  for (let p = 0, q = 0; q < rgb.length; p += 4, q += 3) {
    image.data[p] = rgb[q];
    image.data[p + 1] = rgb[q + 1];
    image.data[p + 2] = rgb[q + 2];
    image.data[p + 3] = 255;
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}

/** @param {Uint8Array} rgb @param {{ height: number, width: number }} shape @param {number} quality */
async function addressOf(rgb, shape, quality) {
  const blob = await painted(rgb, shape).convertToBlob({ type: "image/webp", quality });
  return `data:${blob.type};base64,${base64(new Uint8Array(await blob.arrayBuffer()))}`;
}

/** An answer, and what of it is handed over instead of copied. */
class Handed {
  /** @param {unknown} answer @param {Transferable[]} handed */
  constructor(answer, handed) {
    this.answer = answer;
    this.handed = handed;
  }
}

/** @typedef {{ bitmaps: ImageBitmap[], times_s: number[], size: number, key: string, alt: string, mirrored: boolean }} Asked */

/**
 * Keeps a trace for experiments, of the camera the last two: one may be frozen while the next is on its way.
 * @param {string} key
 * @param {Kept} trace
 */
function keep(key, trace) {
  const live = [...kept.keys()].filter((old) => old.startsWith(LIVE));
  if (key.startsWith(LIVE)) for (const old of live.slice(0, -1)) kept.delete(old);
  kept.delete(key);
  kept.set(key, trace);
  for (const old of [...kept.keys()].slice(0, Math.max(0, kept.size - MOST_KEPT))) kept.delete(old);
}

/** @param {Asked} asked @param {(share: number) => void} tell */
async function trace({ bitmaps, times_s, size, key, alt, mirrored }, tell) {
  if (!ready) throw new Fault(FAULT.unreachable);
  const { site } = ready;
  const since = performance.now();
  const [{ width: wide, height: high }] = bitmaps;
  const shape = inputShape(high, wide, size, site.input.multiple_px);
  const frames = bitmaps.map((bitmap) => seen(bitmap, shape, mirrored));
  const x = standardised(frames, site.input.mean, site.input.std);
  const dims = [frames.length, 3, shape.height, shape.width];
  const begun = performance.now();
  const found = await ran(x, dims, tell);
  const [ms, alone] = [since, begun].map((from) => performance.now() - from);
  const { logits, classes, blocks } = found;
  const card = ready.network !== ready.plain;
  if (candidate) turn = turn.then(() => judge(x, dims, found, alone));
  const shares = probabilities(logits, classes);
  const about = { key, alt, trained: site.trained, times_s, ...shape, blocks, places: site.blocks };
  const payload = async () => {
    const quality = frames.length > 1 ? 0.8 : 0.92;
    const pictures = await Promise.all(frames.map((rgb) => addressOf(rgb, shape, quality)));
    return payloadOf({ ...about, frames: pictures });
  };
  const isLive = key.startsWith(LIVE);
  keep(key, isLive ? { blocks, payload } : { blocks });
  const top = best(shares, 5).map((k) => ({ label: site.labels[k], share: shares[k] }));
  if (!isLive) return { payload: await payload(), top, ms, onCard: card };
  // Gone in a moment: nothing is packed, and what is large is handed over.
  const pictures = frames.map((rgb) => painted(rgb, shape).transferToImageBitmap());
  const shown = payloadOf({ ...about, frames: pictures, pack: bare });
  const maps = shown.blocks.flatMap(({ gather, distribute, change }) => [gather, distribute, change]);
  const handed = maps.flatMap(({ data }) => (typeof data === "string" ? [] : [data.buffer]));
  return new Handed({ payload: shown, top, ms, onCard: card }, [...pictures, ...handed]);
}

/** @param {{ key: string, block: string, factors: Float64Array, renormalise: boolean, donor: string }} asked */
async function change({ key, block, factors, renormalise, donor }) {
  const told = kept.get(key)?.blocks.find((each) => each.name === block);
  const from = kept.get(donor || key)?.blocks.find((each) => each.name === block);
  if (!ready || !told || !from) return null; // let go of meanwhile
  const { plain: network, site } = ready; // a short run, of sizes that the card may not have seen
  const plain = await network.change(told, told.primitives, new Float64Array(told.n).fill(1), false);
  const changed = await network.change(told, from.primitives, factors, renormalise);
  const [before, after] = [plain, changed].map(({ logits, classes }) => probabilities(logits, classes));
  return {
    shifts: shifts(before, after, site.labels),
    moved: movedBy(plain.y, changed.y),
    after,
  };
}

/** What went wrong, in words for a person. @param {unknown} fault */
function said(fault) {
  if (fault instanceof Fault) return fault.message;
  const text = fault instanceof Error ? fault.message : String(fault);
  if (fault instanceof RangeError || /memory|alloc|^\d+$/i.test(text)) return FAULT.memory;
  return `${FAULT.run} (${text.split("\n")[0].slice(0, 120)})${STOP}`;
}

/** @type {Record<string, (asked: any, tell: (share: number) => void) => Promise<unknown>>} */
const KINDS = {
  open,
  trace,
  change,
  has: async ({ key }) => kept.has(key),
  payload: async ({ key }) => (await kept.get(key)?.payload?.()) ?? null,
};
let turn = Promise.resolve();

export function listen() {
  self.onmessage = ({ data: { id, kind, asked } }) => {
    const tell = (/** @type {number} */ share) => self.postMessage({ id, share });
    if (kind === "quicken") {
      quicken(asked).then(() => self.postMessage({ id, result: candidate !== null }));
      return; // it is fetched and made ready while others are answered
    }
    turn = turn.then(async () => {
      try {
        const result = await KINDS[kind](asked, tell);
        if (result instanceof Handed)
          self.postMessage({ id, result: result.answer }, { transfer: result.handed });
        else self.postMessage({ id, result });
      } catch (fault) {
        self.postMessage({ id, fault: said(fault) });
      }
    });
  };
}

listen();
