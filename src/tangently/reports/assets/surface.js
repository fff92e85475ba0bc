// A surface, painted from the back to the front, with the tangent plane and the gradient at the point.
import { drag, keys, ranked } from "./kit.js";

const PATCHES = 36;

// Values on a grid of (n + 1)² corners, row by row from below.
export function sample(f, view, n) {
  const z = new Float64Array((n + 1) ** 2);
  const at = ([lo, hi], i) => lo + ((hi - lo) * i) / n;
  for (let j = 0; j <= n; j++) for (let i = 0; i <= n; i++) z[j * (n + 1) + i] = f(at(view.x, i), at(view.y, j));
  return z;
}

// A color on the way from the first stop to the last.
export function shade(stops, share) {
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const i = Math.min(Math.floor(at), stops.length - 2);
  return stops[i].map((c, k) => Math.round(c + (stops[i + 1][k] - c) * (at - i)));
}

export function surface(canvas, scene) {
  const angle = { yaw: -0.65, pitch: 0.55, size: 1 };

  // The map's square becomes [-1, 1]², heights the range of the levels, so that a pole can't hide the rest.
  function frame(now) {
    const at = ranked(now.map.z);
    let [low, high] = [at(0), at(1)];
    if (high - low > 4 * (at(0.85) - at(0.05))) [low, high] = [at(0), at(0.9)];
    if (!(high > low)) [low, high] = [(low ?? 0) - 1, (low ?? 0) + 1];
    const part = ([lo, hi], value) => (2 * (value - lo)) / (hi - lo) - 1;
    return (x, y, z) => [part(now.view.x, x), part(now.view.y, y), 0.62 * part([low, high], Math.min(Math.max(z, low), high))];
  }
  const project = (now) => {
    const [cy, sy, cp, sp] = [Math.cos(angle.yaw), Math.sin(angle.yaw), Math.cos(angle.pitch), Math.sin(angle.pitch)];
    const unit = Math.min(now.width * 0.34, now.height * 0.37) * angle.size;
    return ([x, y, z]) => {
      const [across, away] = [x * cy - y * sy, x * sy + y * cy];
      return [now.width / 2 + unit * across, now.height * 0.5 - unit * (z * cp + away * sp), away * cp - z * sp];
    };
  };

  function draw() {
    const now = scene();
    const sharp = Math.min(window.devicePixelRatio || 1, 2);
    Object.assign(canvas, { width: Math.round(now.width * sharp), height: Math.round(now.height * sharp) });
    Object.assign(canvas.style, { width: now.width + "px", height: now.height + "px" });
    const pen = canvas.getContext("2d");
    pen.scale(sharp, sharp);
    const style = getComputedStyle(now.figure);
    const color = (name) => style.getPropertyValue(name).trim();
    const [place, look] = [frame(now), project(now)];
    const polygon = (points, fill, line) => {
      pen.beginPath();
      points.forEach(([px, py], i) => (i ? pen.lineTo(px, py) : pen.moveTo(px, py)));
      pen.closePath();
      Object.assign(pen, { fillStyle: fill, strokeStyle: line, lineWidth: 0.6 });
      if (fill) pen.fill();
      if (line) pen.stroke();
    };
    const floor = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([a, b]) => look([a, b, -0.66]));
    polygon(floor, null, color("--faint"));
    Object.assign(pen, { fillStyle: color("--soft"), font: "italic 14px serif", textAlign: "center" });
    pen.fillText(now.names[0], ...look([0, -1.14, -0.66]).slice(0, 2));
    pen.fillText(now.names[1], ...look([1.14, 0, -0.66]).slice(0, 2));
    quads(now, place, look).forEach((quad) => polygon(quad.points, quad.fill, quad.line));
    tangent(now, place, look, pen, polygon, color);
  }

  function quads(now, place, look) {
    const z = sample(now.f, now.view, PATCHES);
    const value = (i, j) => z[j * (PATCHES + 1) + i];
    const along = ([lo, hi], i) => lo + ((hi - lo) * i) / PATCHES;
    const found = [];
    for (let j = 0; j < PATCHES; j++) for (let i = 0; i < PATCHES; i++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const heights = corners.map(([a, b]) => value(a, b));
      if (!heights.every(Number.isFinite)) continue;
      const solid = corners.map(([a, b], k) => place(along(now.view.x, a), along(now.view.y, b), heights[k]));
      const slope = [solid[1][2] - solid[0][2], solid[3][2] - solid[0][2]].map((rise) => rise * PATCHES * 0.5);
      const light = 0.86 + 0.14 * ((0.5 - 0.5 * slope[0] + 0.4 * slope[1]) / Math.hypot(1, ...slope));
      const points = solid.map(look);
      const mean = heights.reduce((a, b) => a + b) / 4;
      const tone = shade(now.map.stops, now.tone(mean)).map((c) => Math.round(c * light));
      found.push({ points, depth: Math.max(...points.map((p) => p[2])), fill: `rgb(${tone})`, line: `rgb(${tone.map((c) => Math.round(c * 0.86))})` });
    }
    return found.sort((a, b) => b.depth - a.depth);
  }

  // The plane through the point, drawn over everything: it is what the gradient means.
  function tangent(now, place, look, pen, polygon, color) {
    const [x, y] = now.at;
    const [z, gx, gy] = [now.f(x, y), now.fu(x, y), now.fv(x, y)];
    if (![z, gx, gy].every(Number.isFinite)) return;
    const [hx, hy] = [now.view.x, now.view.y].map(([lo, hi]) => (hi - lo) * 0.11);
    const patch = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([a, b]) => look(place(x + a * hx, y + b * hy, z + a * hx * gx + b * hy * gy)));
    pen.globalAlpha = 0.3;
    polygon(patch, color("--gradient"), null);
    pen.globalAlpha = 1;
    polygon(patch, null, color("--gradient"));
    const size = Math.hypot(gx * hx, gy * hy) || 1;
    const [dx, dy] = [(gx * hx * hx * 1.6) / size, (gy * hy * hy * 1.6) / size];
    const [from, to] = [look(place(x, y, z)), look(place(x + dx, y + dy, z + dx * gx + dy * gy))];
    pen.beginPath();
    pen.moveTo(from[0], from[1]);
    pen.lineTo(to[0], to[1]);
    Object.assign(pen, { strokeStyle: color("--gradient"), lineWidth: 2.5 });
    pen.stroke();
    pen.beginPath();
    pen.arc(from[0], from[1], 5.5, 0, 7);
    Object.assign(pen, { fillStyle: color("--value"), strokeStyle: color("--paper"), lineWidth: 2 });
    pen.fill();
    pen.stroke();
  }

  const turn = (yaw, pitch) => {
    angle.yaw = yaw;
    angle.pitch = Math.min(Math.max(pitch, 0.05), 1.5);
    draw();
  };
  drag(canvas, (px, py) => {
    const start = { ...angle };
    return (qx, qy) => turn(start.yaw + (px - qx) * -0.01, start.pitch + (qy - py) * 0.01);
  });
  keys(canvas, (dx, dy) => turn(angle.yaw + dx * 0.06, angle.pitch + dy * 0.06));
  const reset = () => Object.assign(angle, { yaw: -0.65, pitch: 0.55, size: 1 });
  const zoom = (factor) => {
    angle.size = Math.min(Math.max(angle.size / factor, 0.4), 4);
    draw();
  };
  return { draw, zoom, reset };
}
