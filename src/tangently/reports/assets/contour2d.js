// A contour map with the gradient field, a point to drag, and the same function as a surface to turn.
import { arrow, axes, drag, evaluator, facts, html, keys, number, panned, ranked, scale, set, sliders, soon, svg,
  ticks, viewBar, watch, wheel, zoomed } from "./kit.js";
import { sample, shade, surface } from "./surface.js";

const CELLS = 96;
const MARGIN = { left: 46, right: 10, top: 10, bottom: 28 };

// Round levels; where a few values dwarf the rest, levels at equal shares of the map instead of equal steps.
export function levels(z, count = 10) {
  const at = ranked(z);
  if (at(0) === at(1)) return [];
  if (at(1) - at(0) < 4 * (at(0.85) - at(0.05))) return ticks([at(0), at(1)], 14).filter((t) => t.value > at(0) && t.value < at(1));
  const shares = Array.from({ length: count }, (_, i) => Number(at((i + 0.7) / count).toPrecision(2)));
  return [...new Set(shares)].sort((a, b) => a - b).map((value) => ({ value, label: number(value, 2) }));
}

// Marching squares. Crossings are named by the edge they lie on, so that pieces chain exactly into lines.
export function contour(z, n, level) {
  const ends = new Map();
  const width = n + 1;
  const link = (a, b) => {
    for (const [p, q] of [[a, b], [b, a]]) ends.set(p, [...(ends.get(p) ?? []), q]);
  };
  for (let j = 0; j < n; j++) for (let i = 0; i < n; i++) {
    const c = j * width + i;
    const first = z[c] >= level;
    if (first === z[c + 1] >= level && first === z[c + width] >= level && first === z[c + 1 + width] >= level) continue;
    const corners = [z[c], z[c + 1], z[c + 1 + width], z[c + width]];
    if (!corners.every(Number.isFinite)) continue;
    const up = corners.map((v) => v >= level);
    const edges = [2 * c, 2 * (c + 1) + 1, 2 * (c + width), 2 * c + 1];
    const cut = edges.filter((_, k) => up[k] !== up[(k + 1) % 4]);
    if (cut.length === 2) link(cut[0], cut[1]);
    if (cut.length < 4) continue;
    const middle = corners.reduce((a, b) => a + b) / 4 >= level;
    const [p, q] = middle === up[0] ? [[0, 1], [2, 3]] : [[3, 0], [1, 2]];
    link(edges[p[0]], edges[p[1]]);
    link(edges[q[0]], edges[q[1]]);
  }
  const place = (edge) => {
    const [c, upright] = [edge >> 1, edge & 1];
    const d = c + (upright ? width : 1);
    const t = (level - z[c]) / (z[d] - z[c]);
    return [(c % width) + (upright ? 0 : t), Math.floor(c / width) + (upright ? t : 0)];
  };
  const walk = (from) => {
    const line = [from];
    for (let at = from; ;) {
      const to = ends.get(at).shift();
      if (to === undefined) return line.map(place);
      ends.get(to).splice(ends.get(to).indexOf(at), 1);
      line.push((at = to));
    }
  };
  const open = [...ends.keys()].filter((edge) => ends.get(edge).length === 1);
  return [...open, ...ends.keys()].map((edge) => (ends.get(edge).length ? walk(edge) : [])).filter((line) => line.length > 1);
}

const ramp = (figure) => getComputedStyle(figure).getPropertyValue("--ramp").split(",").map((stop) => stop.trim().split(/\s+/).map(Number));
export function contour2d(figure, data) {
  const [u, v] = data.variables;
  const values = Object.fromEntries(data.parameters);
  const [f, fu, fv] = [data.value, ...data.gradient].map((fn) => evaluator(fn, values, data.variables));
  const view = { x: [...data.domain[0]], y: [...data.domain[1]] };
  let at = [...data.at];
  let map = null;

  const image = html("canvas", { class: "bands", "aria-hidden": "true" });
  const [grid, lines, field, labels] = ["map", "contours", "field", "levels"].map((kind) => svg("g", { class: kind }));
  const rect = svg("rect");
  const inside = svg("g", { "clip-path": `url(#${data.id}-clip)` }, lines, labels, field);
  const steepest = [svg("path", { class: "arrow under" }), svg("path", { class: "arrow" })];
  const dot = svg("circle", { class: "dot value", r: 5.5 });
  const halo = svg("circle", { class: "halo", r: 16 });
  const handle = svg("g", { class: "handle", tabindex: 0, role: "slider", "aria-label": `point (${u}, ${v}) on the map` }, halo, dot);
  const names = [u, v].map((text, i) => svg("text", { class: i ? "name" : "name end" }, text));
  const board = svg("svg", { class: "board", role: "group", "aria-label": data.alt },
    svg("clipPath", { id: data.id + "-clip" }, rect), grid, inside, ...names, ...steepest, handle);
  const hill = html("canvas", { class: "hill", tabindex: 0, role: "img", hidden: "",
    "aria-label": `surface of ${data.value.name}; drag, or use the arrow keys, to turn it` });
  const plate = html("div", { class: "plate" }, image, board, hill);

  const [dfu, dfv] = [`∂${data.value.name}/∂${u}`, `∂${data.value.name}/∂${v}`];
  const read = facts([["x", u], ["y", v], ["f", `${data.value.name}(${u}, ${v})`, "value"], ["gx", dfu, "gradient"], ["gy", dfv, "gradient"],
    ["size", "length of ∇" + data.value.name], ["up", "steepest ascent"]]);
  const note = html("p", { class: "hint" });
  const tuned = sliders(data.parameters, values, () => (refresh(), draw()));
  const turn = html("button", { type: "button", "aria-pressed": "false", click: () => flip() }, "surface");
  const bar = viewBar(zoom, reset, turn);
  figure.querySelector(".stage").replaceChildren(html("div", { class: "split" }, plate, html("div", { class: "side" }, read.node, note)),
    bar, ...tuned.nodes);

  let x = null;
  let y = null;
  let box = null;
  function layout() {
    const width = Math.max(plate.clientWidth, 240);
    const wide = width - MARGIN.left - MARGIN.right;
    const ratio = (data.domain[1][1] - data.domain[1][0]) / (data.domain[0][1] - data.domain[0][0]);
    const fair = ratio > 0.45 && ratio < 1.5;
    const tall = Math.min(wide * (fair ? ratio : 0.85), 520);
    const used = fair ? Math.min(wide, tall / ratio) : wide;
    box = { left: MARGIN.left, right: MARGIN.left + used, top: MARGIN.top, bottom: MARGIN.top + tall };
    set(board, { width, height: box.bottom + MARGIN.bottom });
    set(rect, { x: box.left, y: box.top, width: used, height: tall });
    x = scale(view.x, [box.left, box.right]);
    y = scale(view.y, [box.bottom, box.top]);
    note.textContent = fair ? "" : "The axes have different scales, so arrows need not look square to the contours.";
  }
  function refresh() {
    const z = sample(f, view, CELLS);
    map = { z, levels: levels(z), stops: ramp(figure) };
  }
  // The place of a value among the levels, as a share.
  const tone = (value) => {
    const found = map.levels.map((level) => level.value);
    const above = found.filter((level) => value >= level).length;
    const part = above && above < found.length ? (value - found[above - 1]) / (found[above] - found[above - 1]) : 0;
    return (above + part) / Math.max(found.length, 1);
  };

  // Bands: the grid's values between corners, one color for each pair of levels.
  function bands() {
    const sharp = Math.min(window.devicePixelRatio || 1, 2);
    const [w, h] = [box.right - box.left, box.bottom - box.top].map((side) => Math.max(1, Math.round(side * sharp)));
    Object.assign(image, { width: w, height: h });
    Object.assign(image.style, { left: box.left + "px", top: box.top + "px", width: w / sharp + "px", height: h / sharp + "px" });
    const pen = image.getContext("2d");
    const pixels = pen.createImageData(w, h);
    const { z, levels: found, stops } = map;
    const colors = Array.from({ length: found.length + 1 }, (_, i) => shade(stops, i / Math.max(found.length, 1)));
    for (let row = 0, k = 0; row < h; row++) {
      const gy = ((h - 1 - row) / Math.max(h - 1, 1)) * CELLS;
      const j = Math.min(Math.floor(gy), CELLS - 1);
      for (let col = 0; col < w; col++, k += 4) {
        const gx = (col / Math.max(w - 1, 1)) * CELLS;
        const i = Math.min(Math.floor(gx), CELLS - 1);
        const c = j * (CELLS + 1) + i;
        const [s, t] = [gx - i, gy - j];
        const value = (1 - t) * ((1 - s) * z[c] + s * z[c + 1]) + t * ((1 - s) * z[c + CELLS + 1] + s * z[c + CELLS + 2]);
        if (!Number.isFinite(value)) continue;
        let b = 0;
        while (b < found.length && value >= found[b].value) b++;
        pixels.data.set(colors[b], k);
        pixels.data[k + 3] = 255;
      }
    }
    pen.putImageData(pixels, 0, 0);
  }

  function drawLines() {
    const [px, py] = [view.x, view.y].map(([lo, hi], k) => (g) => [x, y][k](lo + ((hi - lo) * g) / CELLS));
    lines.replaceChildren();
    labels.replaceChildren();
    const taken = [];
    for (const { value, label } of map.levels) {
      const found = contour(map.z, CELLS, value).map((line) => line.map(([gx, gy]) => [px(gx), py(gy)]));
      const d = found.map((line) => "M" + line.map((p) => p[0].toFixed(1) + " " + p[1].toFixed(1)).join("L")).join("");
      lines.append(svg("path", { d }));
      const text = found.length && name(found.reduce((a, b) => (a.length >= b.length ? a : b)), label, taken);
      if (text) labels.append(text);
    }
  }
  // A level's name lies along the straightest free stretch of its longest line.
  function name(line, label, taken) {
    const half = 4 + label.length * 2;
    let best = null;
    for (let i = half; i < line.length - half; i += 3) {
      const [a, b, m] = [line[i - 4], line[i + 4], line[i]];
      const room = Math.min(m[0] - box.left, box.right - m[0], m[1] - box.top, box.bottom - m[1]);
      if (room < 24 || taken.some((p) => Math.hypot(p[0] - m[0], p[1] - m[1]) < 44)) continue;
      const bend = Math.hypot(a[0] + b[0] - 2 * m[0], a[1] + b[1] - 2 * m[1]) + Math.abs(b[1] - a[1]) * 0.1;
      if (!best || bend < best.bend) best = { bend, m, a, b };
    }
    if (!best) return null;
    taken.push(best.m);
    let angle = (Math.atan2(best.b[1] - best.a[1], best.b[0] - best.a[0]) * 180) / Math.PI;
    if (Math.abs(angle) > 90) angle += 180;
    const [mx, my] = best.m.map((p) => p.toFixed(1));
    return svg("text", { x: mx, y: my, dy: 3.5, class: "level", transform: `rotate(${angle.toFixed(0)} ${mx} ${my})` }, label);
  }

  const onScreen = (p) => {
    const [gx, gy] = [fu(...p), fv(...p)];
    return [(gx * (x(1) - x(0))), gy * (y(1) - y(0)), Math.hypot(gx, gy)];
  };
  function drawField() {
    const pitch = 42;
    const [across, up] = [Math.floor((box.right - box.left) / pitch), Math.floor((box.bottom - box.top) / pitch)];
    const places = Array.from({ length: across * up }, (_, k) => [
      box.left + ((k % across) + 0.5) * ((box.right - box.left) / across), box.top + (Math.floor(k / across) + 0.5) * ((box.bottom - box.top) / up)]);
    const found = places.map(([px, py]) => [px, py, ...onScreen([x.back(px), y.back(py)])]).filter((g) => g.every(Number.isFinite));
    const most = Math.max(...found.map((g) => g[4]), 1e-300);
    const d = found.filter((g) => g[4] > 1e-12 * most).map(([px, py, gx, gy, size]) => {
      const length = (0.16 + 0.66 * Math.sqrt(size / most)) * pitch;
      const k = length / 2 / (Math.hypot(gx, gy) || 1);
      return arrow(px - gx * k, py - gy * k, px + gx * k, py + gy * k, 4.5);
    });
    field.replaceChildren(svg("path", { d: d.join("") }));
  }

  function drawPoint() {
    const [px, py] = [x(at[0]), y(at[1])];
    const [gx, gy, size] = onScreen(at);
    const long = 58 / (Math.hypot(gx, gy) || 1);
    const d = size > 0 && Number.isFinite(gx + gy) ? arrow(px, py, px + gx * long, py + gy * long, 9) : "";
    steepest.forEach((path) => path.setAttribute("d", d));
    for (const circle of [dot, halo]) set(circle, { cx: px, cy: py });
    const off = px < box.left - 1 || px > box.right + 1 || py < box.top - 1 || py > box.bottom + 1;
    for (const part of [handle, ...steepest]) part.classList.toggle("off", off);
    tell(size);
  }
  function tell(size) {
    const [gx, gy] = [fu(...at), fv(...at)];
    read.set("x", at[0]);
    read.set("y", at[1]);
    read.set("f", f(...at));
    read.set("gx", gx);
    read.set("gy", gy);
    read.set("size", size);
    const angle = (Math.atan2(gy, gx) * 180) / Math.PI;
    read.set("up", !Number.isFinite(size) ? "undefined" : size === 0 ? "none: flat here" : `(${number(gx / size, 3)}, ${number(gy / size, 3)}), ${number(angle, 3)}°`);
    set(handle, { "aria-valuenow": at[0], "aria-valuetext": `${u} = ${number(at[0])}, ${v} = ${number(at[1])}, value ${number(f(...at))}, gradient (${number(gx)}, ${number(gy)})` });
  }

  let painted = "";
  const turned = surface(hill, () => ({ f, fu, fv, view, at, map, tone, figure, names: [u, v], width: plate.clientWidth, height: box.bottom + MARGIN.bottom }));
  const draw = soon(() => {
    layout();
    const scene = JSON.stringify([view, values, box, matchMedia("(prefers-color-scheme: dark)").matches]);
    if (scene !== painted) {
      refresh();
      painted = scene;
      axes(grid, x, y, view, box, true);
      set(names[0], { x: box.right - 8, y: box.bottom - 8 });
      set(names[1], { x: box.left + 8, y: box.top + 18 });
      bands();
      drawLines();
      drawField();
    }
    drawPoint();
    if (!hill.hidden) turned.draw();
  });

  function go(px, py) {
    at = [px, py].map((value) => Number(value.toPrecision(12)));
    draw();
  }
  function zoom(factor, px, py) {
    if (!hill.hidden) return turned.zoom(factor);
    const about = px === undefined ? at : [x.back(px), y.back(py)];
    view.x = zoomed(view.x, factor, about[0]);
    view.y = zoomed(view.y, factor, about[1]);
    draw();
  }
  function reset() {
    tuned.reset();
    Object.assign(view, { x: [...data.domain[0]], y: [...data.domain[1]] });
    at = [...data.at];
    turned.reset();
    draw();
  }
  function flip() {
    hill.hidden = !hill.hidden;
    figure.classList.toggle("turned", !hill.hidden);
    turn.setAttribute("aria-pressed", !hill.hidden);
    draw();
  }
  const held = (value, [lo, hi]) => Math.min(Math.max(value, lo), hi);
  drag(board, (px, py) => {
    if (Math.hypot(px - x(at[0]), py - y(at[1])) < 24) {
      handle.focus({ preventScroll: true });
      return (qx, qy) => go(held(x.back(qx), view.x), held(y.back(qy), view.y));
    }
    const [start, sx, sy] = [{ ...view }, x, y];
    return (qx, qy) => {
      view.x = panned(start.x, sx.back(px) - sx.back(qx));
      view.y = panned(start.y, sy.back(py) - sy.back(qy));
      draw();
    };
  });
  board.addEventListener("dblclick", (event) => {
    const frame = board.getBoundingClientRect();
    go(x.back(event.clientX - frame.left), y.back(event.clientY - frame.top));
  });
  wheel(board, figure, zoom);
  const nudge = (range, by) => (by * (range[1] - range[0])) / 100;
  keys(handle, (dx, dy) => go(at[0] + nudge(view.x, dx), at[1] + nudge(view.y, dy)), {
    "+": () => zoom(1 / 1.5), "-": () => zoom(1.5), 0: reset });
  watch(plate, draw);
}
