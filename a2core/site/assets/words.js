/*
 * Every sentence that the site says by itself; those of the canvas are in its own words.js.
 */

export const LANGUAGE = "en"; // the scripts' and the page's
export const STOP = "."; // ends what is put together of a fault and its cause

export const MOST_MEGAPIXELS = 64;

export const FAULT = {
  old: "This browser cannot run the network: it lacks WebAssembly, workers or decompression. The picture on screen can be explored all the same; for your own use Chrome or Edge 94, Firefox 113, Safari 16.4, or newer.",
  unreachable: "The network could not be fetched. Check the connection and choose the picture again.",
  cutOff:
    "A file of the network arrived incomplete or is of another version. Load this page again; if that does not help, whoever keeps this site has to build it anew.",
  memory:
    "This device has not enough memory for that. Close other pages, or choose a smaller picture or a shorter clip.",
  run: "The network could not be run on this device",
  picture:
    "cannot be shown by this browser: it is damaged, or of a kind that it does not know. Save it as JPEG or PNG and choose it again.",
  clip: "cannot be played by this browser: it is damaged, or of a kind that it does not know. Save it as MP4 (H.264) and choose it again.",
  noFile: "That is neither a picture nor a clip.",
  camera: "The camera cannot be used",
  noCamera: "No camera was found on this device. Choose a photo instead.",
  refused:
    "The camera was not allowed. Allow it for this page in the browser’s settings and press Camera again, or choose a photo.",
  busy: "The camera is used by another program. Close that and press Camera again.",
  insecure:
    "Browsers lend a page the camera only over https. Ask whoever keeps this site, or choose a photo.",
  exemplars: "These pictures could not be fetched. Check the connection and point again.",
  lesson:
    "What is moved could not be fetched. The steps stand as they open; check the connection and load the page again.",
  page: "The page to take away could not be fetched. Check the connection and try again.",
};

/** @param {string} name @param {number} megapixels */
export const tooLarge = (name, megapixels) =>
  `${name} has ${Math.round(megapixels)} megapixels; at most ${MOST_MEGAPIXELS} are taken. Save it smaller and choose it again.`;

/** @param {number} share */
export const fetching = (share) => `Fetching the network, once: ${Math.round(100 * share)} %`;
export const STARTING = "Starting the network";
/** @param {number} share */
export const tracing = (share) => (share > 0 ? `Tracing: ${Math.round(100 * share)} %` : "Tracing");
export const READING = "Reading the picture";

/** @param {number} ms @param {number} threads none on a graphics card */
export const traced = (ms, threads) =>
  `Traced on this device in ${ms < 950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`}, ${threads === 0 ? "by its graphics card" : threads === 1 ? "one thread" : `${threads} threads`}.`;

/** @param {number} rate */
export const liveRate = (rate) => `${rate.toFixed(rate < 9.95 ? 1 : 0)} frames a second`;
export const LIVE = "Point at the picture, or tap it to hold a place: its attention follows.";
export const FROZEN = "Frozen. The camera is off.";
export const YOUR_CAMERA = "A picture of your camera";

export const EXPERIMENT = {
  running: "Running what stands behind the block",
  nothing:
    "With every primitive off nothing is left to share the weights among. Keep one, or let them go missing.",
  own: "its own",
  gone: "The numbers of that picture are not kept any more. Choose it again.",
  asWas: "Nothing is changed yet.",
  bagOf: (/** @type {string} */ title) => `bag of ${title}`,
  changed: (/** @type {string[]} */ changes, /** @type {string} */ moved) =>
    `${changes.join(", ")}. ${moved}`,
};

/** What the sample is called. @param {string} title */
export const sampleSaid = (title) => title;

/** @param {number} i @param {number} factor */
export const factorSaid = (i, factor) =>
  factor === 0 ? `g${i} off` : `g${i} × ${Number(factor.toFixed(2))}`;

/** @param {number} i */
export const alone = (i) => `g${i} alone`;

/** @param {number} moved */
export const movedSaid = (moved) =>
  `What the block hands out moved by ${(100 * moved).toFixed(moved < 0.0995 ? 1 : 0)} % of its length.`;

export const ELSEWHERE = {
  said: (/** @type {number} */ photos) =>
    `Of ${photos} pictures of other people, those in which the primitive that you look at is handed out most at one place: the share of that place’s mixture.`,
  which: (/** @type {number} */ i, /** @type {string} */ called) =>
    `Primitive g${i}${called && `, ${called}`}`,
  somebody: "Somebody unnamed",
  hint: (/** @type {string} */ author, /** @type {string} */ licence, /** @type {string} */ link) =>
    `Photo by ${author}, ${licence}, cropped and made smaller. ${link}`.trim(),
  tap: "Choose a picture to read whose it is.",
  none: "No picture of those is given for this primitive.",
  // Of what follows {author} and {licence} are links.
  whose: "Photo by {author}, {licence}, cropped and made smaller.",
  credit: "{author}, {licence}",
};

export const LINK = {
  copied: "The link is copied. It opens the sample as it is shown now.",
  own: "A link cannot hold your picture, which stays on this device: save the page instead.",
  refused: "This browser does not let the page copy; the address above is the link.",
};
