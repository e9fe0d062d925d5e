// Turns every <figure class="pointad-cloud"> into a cloud that can be turned, moved and zoomed.

const EDGE_STRENGTH = 30; // how dark depth edges become
const EDGE_REACH = 250; // depth is compared with pixels this fraction of the height away
const PLAIN_COLOR = [176, 182, 190]; // points without a colour, and points below the threshold
const HALF_FIELD = (17 * Math.PI) / 180; // half of the camera's field of view
const FOCAL = 1 / Math.tan(HALF_FIELD);
const TURN_PER_PIXEL = 0.008;
const TURN_PER_KEY = 0.1;
const MARK_REACH = 4; // pixels around a mark in which nearer points hide it ...
const MARK_DEPTH = 0.1; // ... if they are nearer by this fraction of the cloud's radius
const HIDDEN_MARK = 0.3; // opacity

class CloudFigure {
  constructor(figure, painter) {
    this.figure = figure;
    this.painter = painter;
    this.canvas = figure.querySelector("canvas");
    this.context = this.canvas.getContext("2d");
    this.cloud = readCloud(JSON.parse(figure.querySelector("script[type='application/json']").textContent));
    this.prepared = null;
    this.byScore = this.cloud.scores !== null;
    this.threshold = 0;
    this.pointers = new Map();
    this.reset();
    this.connect();
    figure.dataset.painter = painter.name;
    new ResizeObserver(() => this.draw()).observe(this.canvas); // at once: a stretched picture would flash otherwise
  }

  reset() {
    this.rotation = this.cloud.rotation.slice();
    this.home = this.cloud.radius / Math.sin(HALF_FIELD);
    this.distance = this.home;
    this.panX = 0;
    this.panY = 0;
    this.request();
  }

  // Draws once before the next frame, however many changes there were.
  request() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
    });
  }

  draw() {
    const box = this.canvas.getBoundingClientRect();
    if (box.width === 0) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(box.width * ratio);
    const height = Math.round(box.height * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const { rotation, panX, panY, distance, byScore, threshold } = this;
    const radius = this.cloud.radius;
    const near = Math.max(0.02 * radius, distance - 1.1 * radius);
    const view = {
      width, height, rotation, panX, panY, distance, byScore, threshold,
      near, far: distance + 1.1 * radius, focal: FOCAL * Math.min(1, width / height),
      reach: Math.max(1, Math.round(height / EDGE_REACH)),
    };
    this.prepared ??= this.painter.prepare(this.cloud);
    this.painter.paint(this.context, this.prepared, view);
    this.drawMarks(view, ratio);
    this.figure.dataset.drawn = "true";
  }

  // Where a point of the cube around the cloud is in the picture, and its depth.
  place(view, x, y, z) {
    const r = view.rotation;
    const depth = view.distance - (r[6] * x + r[7] * y + r[8] * z);
    const scale = (view.focal * view.height) / 2 / depth;
    const left = view.width / 2 + scale * (r[0] * x + r[1] * y + r[2] * z + view.panX);
    const top = view.height / 2 - scale * (r[3] * x + r[4] * y + r[5] * z + view.panY);
    return [left, top, depth];
  }

  // Marks that lie behind other parts of the cloud.
  hiddenMarks(view, marks, ratio) {
    const hidden = new Set();
    const { positions, count, radius, pointSize } = this.cloud;
    const size = (view.focal * view.height * pointSize) / 4 / view.distance; // half of a point's, in pixels
    const reach = Math.max(MARK_REACH * ratio, size);
    for (let i = 0; marks.length && i < 3 * count; i += 3) {
      const unit = (value) => (value * 2) / 65535 - 1;
      const [left, top, depth] = this.place(view, unit(positions[i]), unit(positions[i + 1]), unit(positions[i + 2]));
      if (depth < view.near) continue;
      for (const mark of marks) {
        const isNear = Math.abs(left - mark.left) < reach && Math.abs(top - mark.top) < reach;
        if (isNear && depth < mark.depth - MARK_DEPTH * radius) hidden.add(mark);
      }
    }
    return hidden;
  }

  drawMarks(view, ratio) {
    const marks = [];
    for (const [x, y, z, text] of this.cloud.marks) {
      const [left, top, depth] = this.place(view, x, y, z);
      if (depth >= view.near) marks.push({ left, top, depth, text });
    }
    const hidden = this.hiddenMarks(view, marks, ratio);
    this.figure.dataset.hiddenMarks = marks.filter((mark) => hidden.has(mark)).map((mark) => mark.text).join(" ");
    this.context.font = `600 ${14 * ratio}px system-ui, sans-serif`;
    for (const mark of marks) {
      const { left, top, text } = mark;
      this.context.globalAlpha = hidden.has(mark) ? HIDDEN_MARK : 1;
      this.context.beginPath();
      this.context.arc(left, top, 9 * ratio, 0, 2 * Math.PI);
      for (const [color, width] of [["#fff", 4], ["#111", 1.5]]) {
        this.context.strokeStyle = color;
        this.context.lineWidth = width * ratio;
        this.context.stroke();
      }
      this.context.strokeStyle = "#fff";
      this.context.lineJoin = "round";
      this.context.lineWidth = 4 * ratio;
      this.context.strokeText(text, left + 12 * ratio, top + 4 * ratio);
      this.context.fillText(text, left + 12 * ratio, top + 4 * ratio);
    }
    this.context.globalAlpha = 1;
  }

  connect() {
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    });
    canvas.addEventListener("pointermove", (event) => this.pointerMoved(event));
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    }
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => {
      // A page with several clouds must scroll past them: the wheel zooms only the one that was clicked.
      if (document.activeElement !== canvas) return;
      event.preventDefault();
      this.zoom(Math.exp(event.deltaY * 0.001));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.keyPressed(event));
    for (const button of this.figure.querySelectorAll("button")) {
      button.addEventListener("click", () => this.pressed(button));
    }
    const slider = this.figure.querySelector("input[type='range']");
    slider?.addEventListener("input", () => this.setThreshold(Number(slider.value)));
  }

  pointerMoved(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const after = [event.clientX, event.clientY];
    const [dx, dy] = [after[0] - before[0], after[1] - before[1]];
    if (this.pointers.size === 2) {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const apart = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]);
      this.zoom(apart(before) / Math.max(1, apart(after)));
      this.pan(dx / 2, dy / 2);
    } else if (event.shiftKey || event.buttons === 2) {
      this.pan(dx, dy);
    } else {
      this.turn(dx * TURN_PER_PIXEL, dy * TURN_PER_PIXEL);
    }
    this.pointers.set(event.pointerId, after);
  }

  keyPressed(event) {
    const actions = {
      ArrowLeft: () => this.turn(-TURN_PER_KEY, 0),
      ArrowRight: () => this.turn(TURN_PER_KEY, 0),
      ArrowUp: () => this.turn(0, -TURN_PER_KEY),
      ArrowDown: () => this.turn(0, TURN_PER_KEY),
      "+": () => this.zoom(0.9),
      "=": () => this.zoom(0.9),
      "-": () => this.zoom(1 / 0.9),
      0: () => this.reset(),
    };
    if (!actions[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    actions[event.key]();
  }

  pressed(button) {
    if (button.dataset.action === "reset") {
      this.reset();
      return;
    }
    this.byScore = button.dataset.action === "anomaly";
    for (const other of this.figure.querySelectorAll("button[aria-pressed]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    this.request();
  }

  setThreshold(step) {
    this.threshold = step;
    const [low, high] = this.cloud.scoreRange;
    this.figure.querySelector("output").textContent = (low + ((high - low) * step) / 255).toPrecision(3);
    this.request();
  }

  // Turns about the axes of the screen, so that the cloud follows the pointer from any side.
  turn(right, down) {
    const [cy, sy, cx, sx] = [Math.cos(right), Math.sin(right), Math.cos(down), Math.sin(down)];
    const step = [cy, 0, sy, sx * sy, cx, -sx * cy, -cx * sy, sx, cx * cy];
    this.rotation = multiply(step, this.rotation);
    this.request();
  }

  pan(dx, dy) {
    const perPixel = (2 * this.distance) / (FOCAL * this.canvas.getBoundingClientRect().height);
    this.panX += dx * perPixel;
    this.panY -= dy * perPixel;
    this.request();
  }

  zoom(factor) {
    this.distance = Math.min(4 * this.home, Math.max(0.05 * this.home, this.distance * factor));
    this.request();
  }
}

function multiply(a, b) {
  const product = [];
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      product.push(a[row * 3] * b[column] + a[row * 3 + 1] * b[column + 3] + a[row * 3 + 2] * b[column + 6]);
    }
  }
  return product;
}

function readCloud(stored) {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return {
    ...stored,
    positions: new Uint16Array(bytes(stored.positions).buffer),
    scores: stored.scores === null ? null : bytes(stored.scores),
    colors: stored.colors === null ? null : bytes(stored.colors),
    scale: bytes(stored.scale),
  };
}

function makePainter() {
  try {
    return new WebglPainter();
  } catch {
    return new CanvasPainter();
  }
}

let sharedPainter = null;

// A page may hold dozens of clouds: each is read and drawn when it first comes near the screen.
const approaching = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    approaching.unobserve(target);
    sharedPainter ??= makePainter();
    new CloudFigure(target, sharedPainter);
  }
}, { rootMargin: "300px" });

// Brings the figures inside `root` to life; pages that add figures later call it themselves.
function startClouds(root = document) {
  for (const figure of root.querySelectorAll("figure.pointad-cloud:not([data-painter])")) approaching.observe(figure);
}

window.startPointADClouds = startClouds;
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => startClouds());
else startClouds();
