// What every figure needs: elements, numbers, scales, ticks, curves, sliders and dragging.
// Plain ES modules, no build step. A page carries only the files it uses, joined, in one hashed script.

const SVG = "http://www.w3.org/2000/svg";

const dress = (node, attributes, children) => {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
};

export const html = (tag, attributes = {}, ...children) => dress(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) => dress(document.createElementNS(SVG, tag), attributes, children);
export const set = (node, attributes) => dress(node, attributes, []);

// Numbers. Four digits on screen, a true minus, powers of ten spelled out; the rest is in the title.
const raised = (power) => String(power).replace(/[-\d]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));

export function number(value, digits = 4) {
  if (Number.isNaN(value)) return "undefined";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size === 0) return "0";
  const [mantissa, power] = (size >= 1e6 || size < 1e-4 ? size.toExponential(digits - 1)
    : size >= 10 ** digits ? size.toFixed(0) : size.toPrecision(digits)).split("e");
  return (value < 0 ? "−" : "") + mantissa + (power ? "×10" + raised(Number(power)) : "");
}

export const show = (node, value) => {
  node.textContent = typeof value === "number" ? number(value) : value;
  if (typeof value === "number") node.title = String(value);
};

export const signed = (value) => (value < 0 ? "− " : "+ ") + number(Math.abs(value));

// A compiled function takes what it names: the variables from the call, everything else from the sliders.
export function evaluator({ index, parameters }, values, variables) {
  const places = parameters.map((name) => variables.indexOf(name));
  const own = FUNCTIONS[index];
  return (...point) => {
    try {
      return Number(own(...parameters.map((name, i) => (places[i] < 0 ? values[name] : point[places[i]]))));
    } catch {
      return NaN;
    }
  };
}

// Scales and ticks.
export function scale([d0, d1], [r0, r1]) {
  const go = (value) => r0 + ((value - d0) / (d1 - d0)) * (r1 - r0);
  go.back = (pixel) => d0 + ((pixel - r0) / (r1 - r0)) * (d1 - d0);
  return go;
}

export function ticks([lo, hi], count) {
  const rough = (hi - lo) / Math.max(count, 1);
  if (!(rough > 0) || !Number.isFinite(rough)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((m) => m * power >= rough * 0.999) ?? 10);
  const first = Math.ceil(lo / step - 1e-9);
  const last = Math.floor(hi / step + 1e-9);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const label = (v) => {
    const size = Math.abs(v);
    if (size && (size >= 1e5 || step < 1e-4)) return number(v, 1 + Math.max(0, Math.round(Math.log10(size / step))));
    return (v < 0 ? "−" : "") + size.toFixed(decimals);
  };
  return Array.from({ length: Math.min(last - first + 1, 50) }, (_, i) => {
    const value = (first + i) * step;
    return { value, label: label(value) };
  });
}

export function axes(group, x, y, view, box, named) {
  const across = ticks(view.x, (box.right - box.left) / 75);
  const up = ticks(view.y, (box.bottom - box.top) / 42);
  const rule = (tick, x1, y1, x2, y2) => svg("line", { x1, y1, x2, y2, class: tick.value === 0 ? "axis" : "grid" });
  group.replaceChildren(
    ...across.map((t) => rule(t, x(t.value), box.top, x(t.value), box.bottom)),
    ...up.map((t) => rule(t, box.left, y(t.value), box.right, y(t.value))),
    ...up.map((t) => svg("text", { x: box.left - 8, y: y(t.value) + 4, class: "tick end" }, t.label)),
    ...(named ? across : []).map((t) => svg("text", { x: x(t.value), y: box.bottom + 18, class: "tick mid" }, t.label)),
  );
}

// The finite values by rank: at(0) is the least, at(1) the greatest, or undefined if there is none.
export function ranked(values) {
  const sorted = [...values].filter(Number.isFinite).sort((a, b) => a - b);
  return (share) => sorted[Math.round(share * (sorted.length - 1))];
}

// The range that shows a curve: all of it, unless a pole would press the rest flat.
export function fit(f, [lo, hi]) {
  const at = ranked(Array.from({ length: 401 }, (_, i) => f(lo + ((hi - lo) * (i + 0.5)) / 401)));
  if (at(0) === undefined) return [-1, 1];
  let [low, high] = [at(0), at(1)];
  const core = at(0.95) - at(0.05);
  if (core > 0 && high - low > 6 * core) [low, high] = [at(0.05) - core / 4, at(0.95) + core / 4];
  if (low > 0 && low < 0.4 * high) low = 0;
  if (high < 0 && high > 0.4 * low) high = 0;
  if (high - low <= 1e-12 * Math.max(Math.abs(low), Math.abs(high), 1e-300)) {
    const room = Math.abs(low) / 2 || 1;
    return [low - room, high + room];
  }
  return [low - (high - low) * 0.08, high + (high - low) * 0.08];
}

// A curve as path data. Halve an interval until its middle lies on the chord to a third of a pixel; where the
// halving runs out and the gap does not close, there is a pole or a jump, and the pen is lifted.
export function trace(f, x, y, box) {
  const path = [];
  let pen = null;
  const at = (px) => [px, y(f(x.back(px)))];
  const clamp = (py) => Math.min(Math.max(py, box.top - 4000), box.bottom + 4000).toFixed(2);
  const real = (...points) => points.every((p) => Number.isFinite(p[1]));
  const gap = (a, b) => Math.abs(a[1] - b[1]);
  const leaps = (a, b) => {
    const start = gap(a, b);
    for (let i = 0; i < 45; i++) {
      const m = at((a[0] + b[0]) / 2);
      if (!real(m)) return true;
      [a, b] = gap(a, m) > gap(m, b) ? [a, m] : [m, b];
      if (gap(a, b) < start / 4) return false;
    }
    return true;
  };
  const join = (a, b) => {
    if (!real(a, b) || (gap(a, b) > 4 && b[0] - a[0] < 0.1 && leaps(a, b))) return void (pen = null);
    if (pen !== a) path.push(`M${a[0].toFixed(2)} ${clamp(a[1])}`);
    path.push(`L${b[0].toFixed(2)} ${clamp(b[1])}`);
    pen = b;
  };
  const refine = (a, b, depth) => {
    const m = at((a[0] + b[0]) / 2);
    if (![a, m, b].some((p) => real(p))) return;
    const all = real(a, m, b);
    const flat = all && Math.abs(m[1] - (a[1] + b[1]) / 2) < 0.3 && gap(a, b) < 40;
    const away = all && ([a, m, b].every((p) => p[1] < box.top - 50) || [a, m, b].every((p) => p[1] > box.bottom + 50));
    if (depth === 0 || flat || away) return void (join(a, m), join(m, b));
    refine(a, m, depth - 1);
    refine(m, b, depth - 1);
  };
  const count = Math.ceil((box.right - box.left) / 4);
  const points = Array.from({ length: count + 1 }, (_, i) => at(box.left + ((box.right - box.left) * i) / count));
  points.slice(1).forEach((p, i) => refine(points[i], p, 7));
  return path.join("");
}

// At most one drawing a frame.
export function soon(draw) {
  let asked = 0;
  return () => {
    asked ||= requestAnimationFrame(() => {
      asked = 0;
      draw();
    });
  };
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const dark = matchMedia("(prefers-color-scheme: dark)");

export function watch(node, draw) {
  new ResizeObserver(draw).observe(node);
  dark.addEventListener("change", draw);
}

// Dragging: `begin(x, y)` gives the function to call with every later place, or nothing.
export function drag(target, begin) {
  const local = (event) => {
    const frame = target.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };
  target.addEventListener("pointerdown", (event) => {
    const move = event.button ? null : begin(...local(event));
    if (!move) return;
    target.setPointerCapture(event.pointerId);
    const go = (later) => move(...local(later));
    const over = () => {
      target.removeEventListener("pointermove", go);
      target.classList.remove("held");
    };
    target.classList.add("held");
    target.addEventListener("pointermove", go);
    for (const end of ["pointerup", "pointercancel"]) target.addEventListener(end, over, { once: true });
  });
}

// The wheel scrolls the page, as it should, until the figure has the focus (or Ctrl asks for zoom).
export function wheel(target, figure, zoom) {
  target.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !figure.contains(document.activeElement)) return;
    event.preventDefault();
    const frame = target.getBoundingClientRect();
    zoom(Math.exp(event.deltaY * 0.002), event.clientX - frame.left, event.clientY - frame.top);
  }, { passive: false });
}

export const zoomed = ([lo, hi], factor, about) => {
  const next = [about + (lo - about) * factor, about + (hi - about) * factor];
  const span = next[1] - next[0];
  return span > 1e-9 * Math.max(1, Math.abs(about)) && span < 1e12 ? next : [lo, hi];
};
export const panned = ([lo, hi], by) => [lo + by, hi + by];

// Keys that move a handle. `by(dx, dy)` in hundredths of the view; `other` takes + − 0 Home End.
export function keys(node, by, other = {}) {
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  node.addEventListener("keydown", (event) => {
    const way = ways[event.key];
    const act = way ? () => by(...way.map((d) => d * (event.shiftKey ? 10 : 1))) : other[event.key];
    if (!act || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act();
  });
}

export const button = (text, label, click) => html("button", { type: "button", "aria-label": label, title: label, click }, text);

export const viewBar = (zoom, reset, last) => html("div", { class: "row" },
  button("−", "zoom out", () => zoom(1.5)), button("+", "zoom in", () => zoom(1 / 1.5)),
  button("reset", "reset the view, the point and the sliders", () => reset()), last);

export function slider(name, value, [min, max], input) {
  const output = html("output", {}, number(value));
  const range = html("input", { type: "range", min, max, step: (max - min) / 400, "aria-label": name });
  range.value = value;
  output.title = String(value);
  range.addEventListener("input", () => show(output, input(Number(range.value)) ?? Number(range.value)));
  return { node: html("label", { class: "slider" }, html("span", {}, name), range, output), range, output };
}

export const around = (value) => {
  const room = 2 * Math.max(1, Math.abs(value));
  return [value - room, value + room];
};

export function sliders(parameters, values, changed) {
  const rows = parameters.map(([name, value]) => {
    const row = slider(name, value, around(value), (v) => {
      values[name] = v;
      changed();
    });
    row.range.dataset.name = name;
    return row;
  });
  const reset = () => rows.forEach((row, i) => {
    values[parameters[i][0]] = row.range.value = parameters[i][1];
    show(row.output, parameters[i][1]);
  });
  return { nodes: rows.map((row) => row.node), reset };
}

// Names and their live values: `facts.set(key, value)`.
export function facts(rows) {
  const cells = Object.fromEntries(rows.map(([key]) => [key, html("dd", { "data-key": key })]));
  const node = html("dl", { class: "readout" }, ...rows.flatMap(([key, name, style]) => [
    html("dt", { class: style ?? "" }, name), cells[key]]));
  return { node, set: (key, value) => show(cells[key], value), cells };
}

export function arrow(x1, y1, x2, y2, head) {
  const size = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [ux, uy] = [(x2 - x1) / size, (y2 - y1) / size];
  const barb = (side) => `${(x2 - head * (ux + side * uy * 0.5)).toFixed(1)} ${(y2 - head * (uy - side * ux * 0.5)).toFixed(1)}`;
  return `M${x1.toFixed(1)} ${y1.toFixed(1)}L${x2.toFixed(1)} ${y2.toFixed(1)}M${barb(1)}L${x2.toFixed(1)} ${y2.toFixed(1)}L${barb(-1)}`;
}
