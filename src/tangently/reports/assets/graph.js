// A drawn graph that is walked: values forward (blue), then gradients backward (vermillion), a sentence each.
import { button, calm, html, keys } from "./kit.js";

const PAUSE = 1600;

export function graph(figure, data) {
  const { steps } = data;
  if (!steps.length) return;
  const parts = steps.map((step) => step.ids.map((id) => document.getElementById(id)).filter(Boolean));
  const last = steps.length - 1;
  let now = null;
  let playing = 0;

  const sentence = html("p", { class: "sentence", "aria-live": "polite" });
  const count = html("span", { class: "count" });
  const track = html("input", { type: "range", min: 0, max: last, step: 1, "aria-label": "step", class: "track" });
  const first = button("|◀", "first step", () => to(0));
  const back = button("◀", "previous step", () => to(now === null ? 0 : now - 1));
  const play = button("play", "play all steps", () => (playing ? stop() : start()));
  const next = button("▶", "next step", () => to(now === null ? 0 : now + 1));
  const end = button("▶|", "last step", () => to(last));
  const whole = button("show all", "show the whole graph", () => to(null));
  figure.querySelector(".stage").append(sentence, html("div", { class: "row walk" }, first, back, play, next, end, track, count, whole));

  function paint() {
    parts.flat().forEach((part) => part.classList.remove("later", "now", "forward", "backward"));
    if (now === null) return;
    parts.slice(now + 1).flat().forEach((part) => part.classList.add("later"));
    parts.slice(0, now + 1).flat().forEach((part) => part.classList.remove("later"));
    parts[now].forEach((part) => part.classList.add("now", steps[now].direction));
  }
  function tell() {
    const step = now === null ? null : steps[now];
    const mark = html("b", { class: step?.direction === "backward" ? "gradient" : "value" },
      step ? (step.direction === "backward" ? "← " : "→ ") : "");
    sentence.replaceChildren(mark, step ? step.text : `${steps.length} steps: values forward, then gradients backward.`);
    count.textContent = now === null ? `– / ${steps.length}` : `${now + 1} / ${steps.length}`;
    track.value = now ?? 0;
    track.setAttribute("aria-valuetext", step ? step.text : "not started");
    first.disabled = back.disabled = !now;
    next.disabled = end.disabled = now === last;
    whole.disabled = now === null;
  }
  function to(step, kept = false) {
    if (!kept) stop();
    now = step === null ? null : Math.min(Math.max(step, 0), last);
    paint();
    tell();
  }
  function start() {
    const tick = () => {
      to(now === null || now === last ? 0 : now + 1, true);
      if (now === last) stop();
    };
    playing = setInterval(tick, calm() ? 2 * PAUSE : PAUSE);
    play.textContent = "pause";
    play.setAttribute("aria-label", "pause");
    tick();
  }
  function stop() {
    clearInterval(playing);
    playing = 0;
    play.textContent = "play";
    play.setAttribute("aria-label", "play all steps");
  }
  track.addEventListener("input", () => to(Number(track.value)));
  keys(figure.querySelector(".canvas"), (dx, dy) => to((now ?? -1) + Math.sign(dx - dy)), { Home: () => to(0), End: () => to(last), Escape: () => to(null) });
  to(null);
}
