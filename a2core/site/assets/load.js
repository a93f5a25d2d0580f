/*
 * Files of the network: fetched with a share that is told, unpacked, and held against their length and digest.
 */

import { FAULT } from "./words.js";

/** What a person is told as it stands. */
export class Fault extends Error {}

/** @typedef {{ name: string, sent: number, bytes: number, sha256: string }} Listed a file, packed by gzip */

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function digestOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {Uint8Array<ArrayBuffer>[]} chunks */
async function unpacked(chunks) {
  const blob = new Blob(chunks);
  const head = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  const packed = head[0] === 0x1f && head[1] === 0x8b; // some hosts unpack it on the way
  const stream = packed ? blob.stream().pipeThrough(new DecompressionStream("gzip")) : blob.stream();
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * The cache of one version of the site in the folder of `base`: other folders of the host may hold sites of ours too, and
 * caches are all of theirs together. @param {URL} base @param {string} version
 */
export const cacheName = (base, version) => `a2-site ${new URL("./", base).pathname} ${version}`;

/** Keeps a file for offline, as the service worker would, which else fetches it again. */
async function keep(/** @type {URL} */ address, /** @type {Blob} */ blob, /** @type {string} */ name) {
  try {
    const cache = await caches.open(name);
    await cache.put(address, new Response(blob));
  } catch {
    // No room, or a page that may keep nothing: then there is no offline.
  }
}

/** Whether a file is there for offline. @param {URL} base @param {string} name @param {string} version */
export async function isKept(base, name, version) {
  const cache = await caches.open(cacheName(base, version));
  return (await cache.match(new URL(name, base))) !== undefined;
}

/**
 * @param {URL} base
 * @param {Listed} listed
 * @param {string} version of the site
 * @param {(bytes: number) => void} tell how many more have come
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function fetched(base, { name, bytes, sha256 }, version, tell) {
  const address = new URL(name, base);
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const chunks = [];
  try {
    // Asked anew: what the browser still has from before may be another version's.
    const answer = await fetch(address, { cache: "no-cache" });
    if (!answer.ok || !answer.body) throw new Fault(FAULT.unreachable);
    const reader = answer.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      chunks.push(part.value);
      tell(part.value.length);
    }
  } catch (fault) {
    throw fault instanceof Fault ? fault : new Fault(FAULT.unreachable);
  }
  const whole = await unpacked(chunks).catch(() => null);
  if (whole?.length !== bytes) throw new Fault(FAULT.cutOff);
  // Pages that came without encryption have no digests: there the length has to do.
  if (self.crypto?.subtle && (await digestOf(whole)) !== sha256) throw new Fault(FAULT.cutOff);
  await keep(address, new Blob(chunks), cacheName(base, version));
  return whole;
}
