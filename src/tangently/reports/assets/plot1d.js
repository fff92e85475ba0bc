// A curve over its derivative, with a point to drag, the tangent, and a secant whose slope tends to the tangent's.
import { axes, button, calm, drag, evaluator, facts, fit, html, keys, number, panned, scale, set, show, signed, slider,
  sliders, soon, svg, trace, viewBar, watch, wheel, zoomed } from "./kit.js";

const EDGE = { left: 52, right: 14, top: 12, between: 26, bottom: 26 };

export function plot1d(figure, data) {
  const { variable, value: { name } } = data;
  const values = Object.fromEntries(data.parameters);
  const [f, df, ddf] = [data.value, data.derivative, data.second].map((fn) => fn && evaluator(fn, values, [variable]));
  const state = { x: data.at, h: (data.domain[1] - data.domain[0]) / 5, secant: false };
  const view = {};
  const home = () => Object.assign(view, { x: [...data.domain], y: [fit(f, data.domain), fit(df, data.domain)] });
  home();

  // The stage.
  const clip = data.id + "-clip";
  const panel = (kind, text) => {
    const parts = { axes: svg("g"), touch: svg("path", { class: "line thin" }), curve: svg("path", { class: "line " + kind }),
      label: svg("text", { class: "name " + kind, x: EDGE.left + 10 }, text), rect: svg("rect"),
      dot: svg("circle", { class: "dot " + kind, r: 5.5 }) };
    const id = `${clip}-${kind}`;
    const inside = svg("g", { "clip-path": `url(#${id})` }, parts.touch, parts.curve);
    return { ...parts, inside, group: svg("g", {}, svg("clipPath", { id }, parts.rect), parts.axes, inside) };
  };
  const top = panel("value", `${name}(${variable})`);
  const low = panel("gradient", `${name}′(${variable})`);
  top.touch.setAttribute("class", "line gradient");
  const plumb = svg("line", { class: "plumb" });
  const chord = svg("path", { class: "line chord" });
  const rise = svg("path", { class: "line thin" });
  const other = svg("circle", { class: "dot hollow", r: 5.5 });
  top.inside.append(rise, chord);
  const handle = svg("g", { class: "handle", tabindex: 0, role: "slider", "aria-label": `point ${variable} on the curve` },
    svg("circle", { class: "halo", r: 16 }), top.dot);
  const board = svg("svg", { class: "board", role: "group", "aria-label": data.alt }, plumb, top.group, low.group,
    top.label, low.label, low.dot, other, handle);

  // Controls and readouts.
  const exact = html("input", { type: "number", step: "any", "aria-label": variable, class: "exact" });
  const read = facts([["x", variable], ["f", `${name}(${variable})`, "value"], ["df", `${name}′(${variable})`, "gradient"],
    ...(ddf ? [["ddf", `${name}″(${variable})`]] : []), ["line", "tangent", "gradient"]]);
  const apart = facts([["h", "h"], ["slope", "secant slope"], ["gap", `slope − ${name}′(${variable})`]]);
  apart.node.classList.add("secant");
  read.cells.x.append(exact);
  const step = slider("h (log scale)", Math.log10(state.h), [-10, Math.log10((data.domain[1] - data.domain[0]) / 2)], (t) => {
    state.h = 10 ** t;
    draw();
    return state.h;
  });
  show(step.output, state.h);
  const closer = button("h → 0", "let h shrink to zero", () => shrink());
  const toggle = html("button", { type: "button", "aria-pressed": "false", click: () => secant(!state.secant) }, "secant");
  const tuned = sliders(data.parameters, values, () => draw());
  const room = html("div", { class: "row secant" }, step.node, closer);
  const bar = viewBar(zoom, reset, toggle);
  const plate = html("div", { class: "plate" }, board);
  figure.querySelector(".stage").replaceChildren(html("div", { class: "split" }, plate, html("div", { class: "side" }, read.node, apart.node)),
    bar, room, ...tuned.nodes);

  let x = null;
  let ys = [];
  let boxes = [];
  function layout() {
    const width = Math.max(plate.clientWidth, 240);
    const tall = Math.min(300, Math.max(200, width * 0.56));
    const short = Math.min(170, Math.max(120, width * 0.32));
    const base = { left: EDGE.left, right: width - EDGE.right };
    boxes = [{ ...base, top: EDGE.top, bottom: EDGE.top + tall },
      { ...base, top: EDGE.top + tall + EDGE.between, bottom: EDGE.top + tall + EDGE.between + short }];
    set(board, { width, height: boxes[1].bottom + EDGE.bottom });
    x = scale(view.x, [base.left, base.right]);
    ys = boxes.map((box, i) => scale(view.y[i], [box.bottom, box.top]));
  }

  const through = (y, x0, y0, slope) => {
    const ends = [view.x[0], view.x[1]].map((u) => [x(u), y(y0 + slope * (u - x0))]);
    const flat = ends.flat();
    if (!flat.every((v) => Number.isFinite(v) && Math.abs(v) < 1e7)) return "";
    return `M${ends[0].map((v) => v.toFixed(2)).join(" ")}L${ends[1].map((v) => v.toFixed(2)).join(" ")}`;
  };
  const place = (dot, px, py, box) => {
    const seen = Number.isFinite(py) && px >= box.left - 1 && px <= box.right + 1 && py >= box.top - 1 && py <= box.bottom + 1;
    set(dot, { cx: px, cy: Math.min(Math.max(Number.isFinite(py) ? py : box.bottom, box.top), box.bottom) });
    dot.classList.toggle("off", !seen);
  };

  const draw = soon(() => {
    layout();
    const [a, fa, dfa] = [state.x, f(state.x), df(state.x)];
    [[top, f], [low, df]].forEach(([parts, fn], i) => {
      const box = boxes[i];
      set(parts.rect, { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top });
      axes(parts.axes, x, ys[i], { x: view.x, y: view.y[i] }, box, i === 1);
      parts.curve.setAttribute("d", trace(fn, x, ys[i], box));
      parts.label.setAttribute("y", box.top + 18);
    });
    top.touch.setAttribute("d", through(ys[0], a, fa, dfa));
    low.touch.setAttribute("d", ddf ? through(ys[1], a, dfa, ddf(a)) : "");
    place(top.dot, x(a), ys[0](fa), boxes[0]);
    place(low.dot, x(a), ys[1](dfa), boxes[1]);
    set(handle.firstChild, { cx: top.dot.getAttribute("cx"), cy: top.dot.getAttribute("cy") });
    set(plumb, { x1: x(a), x2: x(a), y1: boxes[0].top, y2: boxes[1].bottom });
    drawSecant(a, fa, dfa);
    tell(a, fa, dfa);
  });

  function drawSecant(a, fa, dfa) {
    figure.classList.toggle("with-secant", state.secant);
    if (!state.secant) return void [chord, rise, other].forEach((part) => set(part, { d: "", r: 0 }));
    const [b, fb] = [a + state.h, f(a + state.h)];
    const slope = (fb - fa) / (b - a);
    chord.setAttribute("d", through(ys[0], a, fa, slope));
    rise.setAttribute("d", Number.isFinite(fa + fb) ? `M${x(a)} ${ys[0](fa)}H${x(b)}V${ys[0](fb)}` : "");
    other.setAttribute("r", 5.5);
    place(other, x(b), ys[0](fb), boxes[0]);
    apart.set("h", state.h);
    apart.set("slope", slope);
    apart.set("gap", slope - dfa);
  }

  function tell(a, fa, dfa) {
    if (document.activeElement !== exact) exact.value = Number(a.toPrecision(6));
    exact.title = String(a);
    read.set("f", fa);
    read.set("df", dfa);
    if (ddf) read.set("ddf", ddf(a));
    const away = a === 0 ? variable : `(${variable} ${signed(-a)})`;
    read.set("line", Number.isFinite(fa + dfa) ? `${number(fa)} ${signed(dfa)} ${away}` : "none here");
    set(handle, { "aria-valuenow": a, "aria-valuemin": view.x[0], "aria-valuemax": view.x[1],
      "aria-valuetext": `${variable} = ${number(a)}, value ${number(fa)}, slope ${number(dfa)}` });
  }

  // What a person does.
  function go(to) {
    state.x = Number((to + 0).toPrecision(12));
    const [lo, hi] = view.x;
    if (state.x < lo || state.x > hi) view.x = panned(view.x, state.x < lo ? state.x - lo : state.x - hi);
    draw();
  }
  function zoom(factor, px, py) {
    const about = px === undefined ? state.x : x.back(px);
    view.x = zoomed(view.x, factor, about);
    view.y = view.y.map((range, i) => {
      const here = [f, df][i](about);
      const inside = here > range[0] && here < range[1];
      return zoomed(range, factor, inside ? here : (range[0] + range[1]) / 2);
    });
    draw();
  }
  function reset() {
    tuned.reset();
    state.x = data.at;
    home();
    draw();
  }
  function secant(on) {
    state.secant = on;
    toggle.setAttribute("aria-pressed", on);
    draw();
  }
  function near(to) {
    state.h = to;
    step.range.value = Math.log10(to);
    show(step.output, to);
    draw();
  }
  function shrink() {
    if (calm()) return near(Math.max(state.h / 10, 1e-10));
    const tick = () => {
      near(state.h * 0.93);
      if (state.h > 1e-4) requestAnimationFrame(tick);
    };
    if (state.h <= 1e-4) near((view.x[1] - view.x[0]) / 4);
    tick();
  }

  drag(board, (px, py) => {
    const hit = (dot) => Math.hypot(px - dot.getAttribute("cx"), py - dot.getAttribute("cy")) < 24;
    if (state.secant && hit(other) && !hit(top.dot)) {
      return (qx) => near(Math.max(Math.abs(x.back(qx) - state.x), 1e-10));
    }
    if (hit(top.dot) || hit(low.dot) || Math.abs(px - x(state.x)) < 8) {
      handle.focus({ preventScroll: true });
      return (qx) => go(Math.min(Math.max(x.back(qx), view.x[0]), view.x[1]));
    }
    const start = { x: view.x, y: view.y };
    const which = py > boxes[1].top - EDGE.between / 2 ? 1 : 0;
    const [sx, sy] = [x, ys[which]];
    return (qx, qy) => {
      view.x = panned(start.x, sx.back(px) - sx.back(qx));
      view.y = start.y.map((range, i) => (i === which ? panned(range, sy.back(py) - sy.back(qy)) : range));
      draw();
    };
  });
  board.addEventListener("dblclick", (event) => go(x.back(event.clientX - board.getBoundingClientRect().left)));
  wheel(board, figure, zoom);
  const span = () => (view.x[1] - view.x[0]) / 100;
  keys(handle, (dx, dy) => go(state.x + (dx || dy) * span()), {
    Home: () => go(view.x[0]), End: () => go(view.x[1]), "+": () => zoom(1 / 1.5), "-": () => zoom(1.5), 0: reset });
  exact.addEventListener("change", () => Number.isFinite(exact.valueAsNumber) && go(exact.valueAsNumber));
  watch(plate, draw);
}
