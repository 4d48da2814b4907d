// Layers that do not fit beside each other go on in a second band below.

const CELL = { min: 20, touched: 34, low: 18, max: 64, labelled: 40 };
const HIGH = 370; // of all bands together, unless cells would be smaller than the minimum
const LEFT = 36;
const TOP = 20;
const LABEL = 15;

class Layout {
  constructor({ shape: [nLayers, nHeads], by_score }, room) {
    const touched = matchMedia("(pointer: coarse)").matches; // then cells are larger, and scroll sideways
    const bands = touched ? 1 : Math.ceil((nLayers * CELL.min) / Math.max(CELL.min, room - LEFT - 2));
    const across = Math.ceil(nLayers / bands);
    const least = (number, low) => Math.floor(Math.min(CELL.max, Math.max(low, number)));
    const [low, min] = touched ? [CELL.touched, CELL.touched] : [CELL.low, CELL.min];
    const tall = least((HIGH / bands - TOP) / nHeads, low);
    const cell = Math.floor(Math.min(least((room - LEFT - 2) / across, min), Math.max(1.4 * tall, min)));
    const high = Math.min(tall, cell);
    const band = TOP + nHeads * high;
    const grid = { left: LEFT, top: TOP, wide: cell, high, columns: nLayers, across, rows: nHeads, band, bands };
    const wide = Math.max(cell, CELL.labelled);
    const nCells = nLayers * nHeads;
    const columns = Math.min(nCells, Math.max(1, Math.floor((room - 4) / wide)));
    const rows = Math.ceil(nCells / columns);
    const list = { left: 2, top: 2, wide, high: high + LABEL, columns, across: columns, rows, band: Infinity, bands: 1 };
    Object.assign(this, { cell: [cell, high], nCells, ...(by_score ? list : grid) });
    this.room = bands * band + 4; // the same for both, so that nothing jumps
  }

  /** Which cell is at a place in CSS pixels, -1 for none. */
  at(x, y) {
    const { left, top, wide, high, across, rows, band, columns, nCells } = this;
    const column = Math.floor((x - left) / wide);
    const nth = Math.floor(y / band);
    const row = Math.floor(((nth ? y - nth * band : y) - top) / high);
    if (column < 0 || column >= across || row < 0 || row >= rows) return -1;
    const place = nth * across + column; // of the layer, in the grid
    const index = band === Infinity ? row * columns + column : place < columns ? row * columns + place : -1;
    return index < nCells ? index : -1;
  }

  /** Where a cell's map begins. */
  corner(index) {
    const { left, top, wide, high, columns, across, band, cell } = this;
    const column = index % columns;
    const nth = Math.floor(column / across);
    const x = left + (column % across) * wide + (wide - cell[0]) / 2;
    return { x, y: (nth ? nth * band : 0) + top + Math.floor(index / columns) * high };
  }
}
