/*
 * The box that stands instead of a resting point.
 */

export class Box {
  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
    const { ui } = probe;
    ui.unbox.addEventListener(
      "click",
      () => {
        probe.setRegion(null);
        probe.reportView();
        ui.stage.focus();
      },
      { signal: probe.stop.signal },
    );
  }

  draw() {
    const { ui, state, model, stageSize } = this.probe;
    const { block, region } = state;
    const cells = region && model.cellsOf(region, block);
    ui.unbox.hidden = !cells;
    ui.box.hidden = !cells;
    ui.box.dataset.elsewhere = cells && cells.t !== model.stepOf(state.frame, block) ? "yes" : "";
    if (!cells) return;
    const x = stageSize.width / block.w;
    const y = stageSize.height / block.h;
    const { style } = ui.box;
    style.transform = `translate(${cells.col0 * x}px, ${cells.row0 * y}px)`;
    style.width = `${(cells.col1 - cells.col0 + 1) * x}px`;
    style.height = `${(cells.row1 - cells.row0 + 1) * y}px`;
  }
}
