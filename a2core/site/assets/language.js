/*
 * Which language a visitor reads: the one chosen here before, or else the browser's. The address without a language is
 * English and leads on; the Chinese page's own address is meant as it is.
 *
 * It stands in the page's head, before anything is drawn. Nothing of it is sent anywhere.
 */

(() => {
  const KEY = "a2-language";
  const { chinese } = /** @type {HTMLScriptElement} */ (document.currentScript).dataset;
  const here = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
  let kept = null;
  try {
    kept = localStorage.getItem(KEY);
  } catch {
    // Storage is not allowed here: the browser's language it is.
  }
  const wanted = kept ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
  if (here === "en" && wanted === "zh") location.replace(chinese + location.search + location.hash);
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-language]") : null;
    if (!(link instanceof HTMLAnchorElement)) return;
    try {
      localStorage.setItem(KEY, link.dataset.language ?? "");
    } catch {
      // Then it is chosen for this page alone.
    }
    link.search = location.search; // the view that a link asks for
    link.hash = location.hash;
  });
})();
