/*
 * What a person brings, as the browser decodes it: upright, and of no more pixels than a device has memory for.
 */

import { Fault } from "./load.js";
import { FAULT, MOST_MEGAPIXELS, tooLarge } from "./words.js";

/** @typedef {{ bitmaps: ImageBitmap[], times_s: number[] }} Frames */

const MOST_AT_ONCE = 16e6; // pixels that are read whole; of more, the browser makes fewer first
const MOST_OF_A_FRAME = 1e6; // likewise, of each frame of a clip
const MOST_FRAMES = 16;
const PATIENCE_MS = 15_000; // with a clip that does not move

/**
 * @param {HTMLImageElement | HTMLVideoElement} source
 * @param {number} width
 * @param {number} height
 * @param {number} most pixels
 */
export function bitmapOf(source, width, height, most = MOST_AT_ONCE) {
  const less = Math.sqrt(most / (width * height));
  if (less >= 1) return createImageBitmap(source);
  const [resizeWidth, resizeHeight] = [width, height].map((side) => Math.round(side * less));
  return createImageBitmap(source, { resizeWidth, resizeHeight, resizeQuality: "high" });
}

/** @param {EventTarget} target @param {string} event */
function happens(target, event) {
  return new Promise((done, failed) => {
    const stop = new AbortController();
    const settle = (/** @type {() => void} */ how) => {
      stop.abort();
      clearTimeout(late);
      how();
    };
    const late = setTimeout(() => settle(() => failed(new Error("late"))), PATIENCE_MS);
    target.addEventListener(event, () => settle(() => done(undefined)), { signal: stop.signal });
    target.addEventListener("error", () => settle(() => failed(new Error("damaged"))), {
      signal: stop.signal,
    });
  });
}

/** @param {File} file @param {string} address @returns {Promise<Frames>} */
async function photo(file, address) {
  const image = new Image();
  image.src = address;
  await happens(image, "load").catch(() => {
    throw new Fault(`${file.name} ${FAULT.picture}`);
  });
  const { naturalWidth: width, naturalHeight: height } = image;
  const megapixels = (width * height) / 1e6;
  if (megapixels > MOST_MEGAPIXELS) throw new Fault(tooLarge(file.name, megapixels));
  const bitmap = await bitmapOf(image, width, height).catch(() => {
    throw new Fault(`${file.name} ${FAULT.picture}`);
  });
  return { bitmaps: [bitmap], times_s: [0] };
}

/** @param {HTMLVideoElement} video @param {number} at_s */
async function seek(video, at_s) {
  const come = happens(video, "seeked");
  video.currentTime = at_s;
  await come;
}

/** @param {File} file @param {string} address @returns {Promise<Frames>} */
async function clip(file, address) {
  const video = document.createElement("video");
  Object.assign(video, { muted: true, playsInline: true, preload: "auto", src: address });
  /** @type {Frames} */
  const found = { bitmaps: [], times_s: [] };
  try {
    await happens(video, "loadeddata");
    const { videoWidth: width, videoHeight: height } = video;
    if (!width || !height) throw new Error("no picture");
    if (!Number.isFinite(video.duration)) await seek(video, 1e7); // recorded by a browser: its end is not written down
    const duration = Number.isFinite(video.duration) ? video.duration : video.currentTime;
    for (let k = 0; k < MOST_FRAMES; k++) {
      const at_s = ((k + 0.5) * duration) / MOST_FRAMES;
      await seek(video, at_s);
      found.times_s.push(at_s - duration / MOST_FRAMES / 2);
      found.bitmaps.push(await bitmapOf(video, width, height, MOST_OF_A_FRAME));
    }
  } catch {
    for (const bitmap of found.bitmaps) bitmap.close();
    throw new Fault(`${file.name} ${FAULT.clip}`);
  } finally {
    video.removeAttribute("src");
    video.load();
  }
  return found;
}

/**
 * The frames of a file: one of a picture, up to sixteen over the length of a clip.
 * @param {File} file
 * @returns {Promise<Frames>}
 */
export async function framesOf(file) {
  const moving = file.type.startsWith("video/") || /\.(mp4|m4v|mov|webm|mkv|avi)$/i.test(file.name);
  if (!moving && file.type && !file.type.startsWith("image/")) throw new Fault(FAULT.noFile);
  const address = URL.createObjectURL(file);
  try {
    return await (moving ? clip : photo)(file, address);
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** The file among those dropped or pasted, if any. @param {DataTransfer | null} data */
export function fileIn(data) {
  const files = Array.from(data?.files ?? []);
  return files.find((file) => /^(image|video)\//.test(file.type)) ?? files[0] ?? null;
}
