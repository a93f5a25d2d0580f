/*
 * Streamlit takes a chart away and mounts a new one whenever its figure changes, and Plotly draws the new one
 * some frames later: the page would have a hole until then. A copy of the chart before fills it.
 * It is for charts with a key, which says which chart follows which. (streamlit/streamlit issue 8782)
 */
(() => {
  if (window.a2SteadyCharts) return;
  const last = new Map(); // by the class that Streamlit makes of a key: the plot drawn last, and its copy
  const DRAWN = ".stPlotlyChart .js-plotly-plot:has(.main-svg)";

  const look = () => {
    for (const chart of document.querySelectorAll(DRAWN)) {
      const key = chart.closest("[class*='st-key-']")?.className.match(/st-key-\S+/)[0];
      if (key && !last.has(key)) last.set(key, {});
    }
    for (const [key, before] of last) {
      for (const place of document.getElementsByClassName(key)) {
        if (!place.checkVisibility()) continue; // the chart before may stay for a while, hidden
        const plot = place.querySelector(DRAWN);
        if (plot && plot !== before.plot) {
          before.copy?.remove();
          before.plot = plot;
          before.copy = document.createElement("div"); // now: a plot is emptied before it is taken away
          before.copy.className = "a2-chart-before";
          before.copy.ariaHidden = "true";
          before.copy.append(plot.cloneNode(true));
        } else if (!plot && before.copy && before.copy.parentNode !== place) {
          place.append(before.copy);
        }
      }
    }
  };

  // Told of a change after the script that made it and before the next frame is painted.
  window.a2SteadyCharts = new MutationObserver(look);
  window.a2SteadyCharts.observe(document.body, { childList: true, subtree: true });
})();
