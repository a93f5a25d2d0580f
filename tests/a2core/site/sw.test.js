/** The service worker, run with what a browser would give it: whose caches it takes away, and what it asks anew. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";
import { cacheName } from "../../../a2core/site/assets/load.js";

const SOURCE = readFileSync(new URL("../../../a2core/site/assets/sw.js", import.meta.url), "utf-8");
const HERE = "https://school.example/a/";

/** The worker of version 2 of a site at HERE; `there` are the caches of the host, by name, and what is in them. */
function worker(there) {
  const heard = {};
  const asked = [];
  const caches = {
    keys: async () => [...there.keys()],
    delete: async (name) => there.delete(name),
    open: async (name) => {
      if (!there.has(name)) there.set(name, []);
      return {
        keys: async () => there.get(name).map((url) => ({ url })),
        addAll: async (requests) => asked.push(...requests),
      };
    },
  };
  class Request {
    constructor(url, { cache }) {
      Object.assign(this, { url, cache });
    }
  }
  const self = {
    registration: { scope: HERE },
    addEventListener: (name, hear) => {
      heard[name] = hear;
    },
  };
  const script = SOURCE.replace("A2-VERSION", "2").replace('"A2-FILES"', '"./", "network.bin", "site.js"');
  vm.runInNewContext(script, {
    self,
    caches,
    location: new URL("sw.js", HERE),
    URL,
    Request,
    Headers,
    Response,
  });
  const happens = async (name) => {
    let whole;
    heard[name]({ waitUntil: (promise) => (whole = promise) });
    await whole;
  };
  return { happens, asked };
}

test("of the host's caches only its own older ones go", async () => {
  const name = (folder, version) =>
    cacheName(new URL(`${folder}network.bin`, "https://school.example"), version);
  const own = [name("/a/", "1"), name("/a/", "2")];
  const others = [name("/", "1"), name("/a/b/", "1"), name("/b/", "1"), "another's"];
  const there = new Map([...own, ...others].map((each) => [each, []]));
  await worker(there).happens("activate");
  assert.deepEqual([...there.keys()], [own[1], ...others]);
});

test("what is kept for offline is asked anew, but for what the page has put there", async () => {
  const kept = cacheName(new URL(HERE), "2");
  const { happens, asked } = worker(new Map([[kept, [`${HERE}network.bin`]]]));
  await happens("install");
  assert.deepEqual(
    asked.map(({ url, cache }) => [url, cache]),
    [
      [HERE, "no-cache"],
      [`${HERE}site.js`, "no-cache"],
    ],
  );
});
