// The closed forms of playground/core/positions.py, so that a moving slider asks the server nothing.

/** Radians a position of each pair of dimensions. */
export function frequencies(dModel, base) {
  return Float64Array.from({ length: dModel / 2 }, (_, i) => base ** ((-2 * i) / dModel));
}

/** Rows of positions, sine and cosine in turn; row after row. */
export function sinusoidal(nCtx, dModel, base) {
  const speeds = frequencies(dModel, base);
  const rows = new Float64Array(nCtx * dModel);
  for (let position = 0; position < nCtx; position++) {
    for (let i = 0; i < speeds.length; i++) {
      rows[position * dModel + 2 * i] = Math.sin(position * speeds[i]);
      rows[position * dModel + 2 * i + 1] = Math.cos(position * speeds[i]);
    }
  }
  return rows;
}

/** Turn each pair (i, i + half) of x by its angle at the position. */
export function rotate(x, position, speeds) {
  const half = speeds.length;
  const turned = new Float64Array(2 * half);
  for (let i = 0; i < half; i++) {
    const cos = Math.cos(position * speeds[i]);
    const sin = Math.sin(position * speeds[i]);
    turned[i] = x[i] * cos - x[half + i] * sin;
    turned[half + i] = x[half + i] * cos + x[i] * sin;
  }
  return turned;
}

/** Slopes of a number of heads that is a power of two. */
export function alibiSlopes(nHead) {
  return Float64Array.from({ length: nHead }, (_, i) => 2 ** ((-8 * (i + 1)) / nHead));
}

/** Mean cosine of two positions this far apart. */
export function similarity(distance, speeds) {
  let sum = 0;
  for (const speed of speeds) sum += Math.cos(distance * speed);
  return sum / speeds.length;
}
