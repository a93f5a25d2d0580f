/*
 * The network on a graphics card, where there is one: fetched after everything else, held against the processor's
 * answer on a picture of the visitor's, and used from then on if it says the same in less time.
 */

import { best, probabilities } from "./change.js";
import { fetched } from "./load.js";
import { Network } from "./run.js";

/** @typedef {import("./load.js").Listed} Listed */
/** @typedef {import("./run.js").Ran} Ran */
/** @typedef {{ script: string, glue: string, wasm: Listed, graphs: Listed, parts: Listed }} Files */
/** @typedef {{ levels: number, scale: number, count: number, rows: number }} Weight places in network.bin */
/** @typedef {{ block: string, at: [number, number], weights: Weight[] }} Listing of a part */

const CLOSE = 1e-3; // of the largest value of an array: how far the two may differ
const TOP = 5; // classes that have to be the same

/**
 * Large weights, one after the other: whole numbers times a scale for each row of them.
 * @param {Uint8Array<ArrayBuffer>} file network.bin
 * @param {Weight[]} weights
 */
export function restored(file, weights) {
  const out = new Float32Array(weights.reduce((sum, { count }) => sum + count, 0));
  let at = 0;
  for (const { levels, scale, count, rows } of weights) {
    const whole = new Int16Array(file.slice(levels, levels + 2 * count).buffer);
    const scales = new Float32Array(file.slice(scale, scale + 4 * rows).buffer);
    for (let k = 0, each = count / rows; k < count; k++)
      out[at + k] = whole[k] * scales[Math.floor(k / each)];
    at += count;
  }
  return out;
}

/** @param {Float32Array} a @param {Float32Array} b */
function close(a, b) {
  let [furthest, largest] = [0, 0];
  for (let j = 0; j < b.length; j++) {
    furthest = Math.max(furthest, Math.abs(a[j] - b[j]));
    largest = Math.max(largest, Math.abs(b[j]));
    if (Number.isNaN(a[j])) return false;
  }
  return a.length === b.length && furthest <= CLOSE * largest;
}

/** Whether two runs of one picture say the same. @param {Ran} found @param {Ran} expected */
export function agree(found, expected) {
  const [ours, theirs] = [found, expected].map(({ logits, classes }) =>
    best(probabilities(logits, classes), TOP),
  );
  return (
    ours.every((label, k) => label === theirs[k]) &&
    found.blocks.every((told, k) =>
      /** @type {const} */ (["gather", "distribute", "primitives", "change"]).every((kind) =>
        close(told[kind], expected.blocks[k][kind]),
      ),
    )
  );
}

/**
 * The network on a graphics card; null where there is none, or this browser cannot wait for one.
 * @param {Files} files
 * @param {URL} base
 * @param {string} version
 * @param {Uint8Array<ArrayBuffer>} file network.bin
 * @param {Network} plain the same on the processor, which hands out what is changed by hand
 * @param {boolean} anyway also where a processor plays the card
 */
export async function onCard(files, base, version, file, plain, anyway) {
  const { gpu } = /** @type {{ gpu?: any }} */ (/** @type {unknown} */ (navigator));
  if (!gpu || !("Suspending" in WebAssembly)) return null;
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter || ((adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter) && !anyway)) return null;
  const bytes = (/** @type {Listed} */ listed) => fetched(base, listed, version, () => {});
  const [ort, wasm, graphs, told] = await Promise.all([
    import(new URL(files.script, base).href),
    bytes(files.wasm),
    bytes(files.graphs),
    bytes(files.parts),
  ]);
  ort.env.wasm.wasmBinary = wasm.buffer;
  ort.env.wasm.wasmPaths = { mjs: new URL(files.glue, base).href };
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  /** @type {Listing[]} */
  const listed = JSON.parse(new TextDecoder().decode(told));
  const parts = [];
  for (const [k, { block, at, weights }] of listed.entries()) {
    const data = restored(file, weights);
    const session = await ort.InferenceSession.create(graphs.subarray(...at), {
      executionProviders: ["webgpu"],
      externalData: data.length ? [{ path: "weights", data: new Uint8Array(data.buffer) }] : [],
    });
    parts.push({ block, session, hand: plain.parts[k].hand });
  }
  return new Network(parts, ort.Tensor);
}
