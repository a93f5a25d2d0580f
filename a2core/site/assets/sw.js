/*
 * Keeps the site whole, so that it opens without a network; one version at a time, a newer one when all pages of the
 * older are closed.
 *
 * It also isolates the page from others, by the two headers that browsers ask for before they lend it threads: from the
 * second visit on, on hosts that do not send them.
 */

const VERSION = "A2-VERSION";
const FILES = ["A2-FILES"];
const worker = /** @type {any} */ (self);
// As load.js calls it; other folders of the host may hold sites of ours too, whose caches are theirs.
const OURS = `a2-site ${new URL(worker.registration.scope).pathname} `;
const NAME = OURS + VERSION;

worker.addEventListener("install", (/** @type {any} */ event) => {
  const fill = async () => {
    const cache = await caches.open(NAME);
    // What is heavy the page has put there already.
    const kept = new Set((await cache.keys()).map(({ url }) => url));
    const missing = FILES.map((name) => new URL(name, location.href).href).filter((url) => !kept.has(url));
    // Asked anew: what the browser still has from before may be another version's, and would be kept for good.
    await cache.addAll(missing.map((url) => new Request(url, { cache: "no-cache" })));
  };
  event.waitUntil(fill());
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  const leave = async () => {
    const names = await caches.keys();
    await Promise.all(
      names.filter((name) => name.startsWith(OURS) && name !== NAME).map((name) => caches.delete(name)),
    );
  };
  event.waitUntil(leave());
});

/** @param {Response} answer */
function isolated(answer) {
  const headers = new Headers(answer.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers });
}

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(worker.registration.scope)) return;
  const answer = async () => {
    const cache = await caches.open(NAME);
    const kept = await cache.match(request, { ignoreSearch: true });
    return isolated(kept ?? (await fetch(request)));
  };
  event.respondWith(answer());
});
