// Draws a cloud without WebGL: projects every point, keeps the nearest per pixel, darkens depth edges.

class CanvasPainter {
  constructor() {
    this.name = "canvas";
    this.depth = new Float32Array(0);
    this.winner = new Int32Array(0);
  }

  // The cloud as it is drawn needs no preparation here.
  prepare(cloud) {
    return cloud;
  }

  paint(context, cloud, view) {
    const { width, height } = view;
    if (this.depth.length !== width * height) {
      this.depth = new Float32Array(width * height);
      this.winner = new Int32Array(width * height);
    }
    this.depth.fill(Infinity);
    this.winner.fill(-1);
    this.splat(cloud, view);
    context.putImageData(this.shade(cloud, view), 0, 0);
  }

  splat(cloud, view) {
    const { width, height, rotation: r, panX, panY, distance, focal, near } = view;
    const { depth, winner } = this;
    const positions = cloud.positions;
    const toUnit = 2 / 65535;
    const scale = (focal * height) / 2;
    for (let i = 0, at = 0; i < cloud.count; i++, at += 3) {
      const px = positions[at] * toUnit - 1;
      const py = positions[at + 1] * toUnit - 1;
      const pz = positions[at + 2] * toUnit - 1;
      const z = distance - (r[6] * px + r[7] * py + r[8] * pz);
      if (z < near) continue;
      const x = width / 2 + (scale * (r[0] * px + r[1] * py + r[2] * pz + panX)) / z;
      const y = height / 2 - (scale * (r[3] * px + r[4] * py + r[5] * pz + panY)) / z;
      const size = Math.max(1, Math.min(12, Math.round((cloud.pointSize * scale) / z)));
      const left = Math.max(0, Math.round(x - size / 2));
      const top = Math.max(0, Math.round(y - size / 2));
      const right = Math.min(width, Math.round(x - size / 2) + size);
      const bottom = Math.min(height, Math.round(y - size / 2) + size);
      for (let row = top; row < bottom; row++) {
        for (let cell = row * width + left; cell < row * width + right; cell++) {
          if (z < depth[cell]) {
            depth[cell] = z;
            winner[cell] = i;
          }
        }
      }
    }
  }

  shade(cloud, view) {
    const { width, height, reach } = view;
    const { depth, winner } = this;
    const image = new ImageData(width, height);
    const pixels = image.data;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const cell = row * width + column;
        const point = winner[cell];
        if (point < 0) continue;
        const here = depth[cell];
        let drop = 0;
        if (column >= reach) drop += Math.max(0, Math.log2(here / depth[cell - reach]));
        if (column < width - reach) drop += Math.max(0, Math.log2(here / depth[cell + reach]));
        if (row >= reach) drop += Math.max(0, Math.log2(here / depth[cell - reach * width]));
        if (row < height - reach) drop += Math.max(0, Math.log2(here / depth[cell + reach * width]));
        const light = Math.exp(-drop * EDGE_STRENGTH);
        const color = pointColor(cloud, view, point);
        pixels[cell * 4] = color[0] * light;
        pixels[cell * 4 + 1] = color[1] * light;
        pixels[cell * 4 + 2] = color[2] * light;
        pixels[cell * 4 + 3] = 255;
      }
    }
    return image;
  }
}

function pointColor(cloud, view, point) {
  if (!view.byScore) {
    return cloud.colors ? cloud.colors.subarray(point * 3, point * 3 + 3) : PLAIN_COLOR;
  }
  const score = cloud.scores[point];
  return score < view.threshold ? PLAIN_COLOR : cloud.scale.subarray(score * 3, score * 3 + 3);
}
