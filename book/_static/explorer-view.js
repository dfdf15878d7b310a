/* What the explorer page shows: one picture with its label maps, and what was said of it. */
(() => {
  "use strict";
  const over = new Set(); // layers laid over the picture, by name

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.flat(Infinity).filter((child) => child !== null));
    return element;
  };
  const number = (value, digits = 2) => (value === null ? "–" : value.toFixed(digits));
  const listed = (words) => words.join(", ") || "none";

  // A word with its verdict: a sign and a colour to see, a word to hear.
  const SIGNS = { right: ["✓", "right"], wrong: ["✗", "wrong"], missed: ["✗", "missed"],
    open: ["?", "no decision"] };
  const chip = (text, verdict) => make("span", { class: `ex-chip ex-${verdict}` },
    make("span", { "aria-hidden": "true" }, `${SIGNS[verdict][0]} `), text,
    make("span", { class: "ex-heard" }, ` (${SIGNS[verdict][1]}) `));

  const shade = (root) => {
    const value = Number(root.querySelector('[data-part="opacity"]').value) / 100;
    for (const layer of root.querySelectorAll(".ex-stage .ex-layer")) layer.style.opacity = value;
  };

  const draw = (view) => {
    const { root, data, state, found } = view;
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    const count = data.conditions.length;
    const picture = state.scene * count + data.conditions.indexOf(state.condition);
    const scene = data.scenes[state.scene];
    const names = (set) => data.classes.filter((_, bit) => set & (1 << bit));
    const files = root.dataset.files;
    const image = (p) => (data.pictures ? `${files}pictures/${data.pictures[p]}.jpg` : null);

    const fields = () => {
      for (const name of ["story", "vlm", "under", "class", "segmenter", "below", "sort", "order", "scene"])
        part(name).value = String(state[name]);
      for (const radio of root.querySelectorAll("[name=ex-condition]"))
        radio.checked = radio.value === state.condition;
      for (const label of root.querySelectorAll("[data-needs]"))
        label.hidden = label.dataset.needs !== view.needs;
    };

    const stories = () => {
      const place = found.indexOf(picture);
      const here = place < 0 ? "" : `, this is number ${place + 1}`;
      part("count").textContent =
        `${found.length} of ${data.scenes.length * count} images${found.length ? here : ": none"}.`;
      const signal = data.signals.find((s) => s.key === state.sort);
      const first = Math.max(0, place - 2);
      part("found").replaceChildren(...found.slice(first, first + 6).map((p) => {
        const name = `${Math.floor(p / count)} ${data.conditions[p % count]}`;
        const value = signal ? ` ${number(signal.values[p])}` : "";
        const alt = `Scene ${Math.floor(p / count)} under ${data.conditions[p % count]}`;
        const small = data.pictures ? make("img", { src: image(p), alt, loading: "lazy" }) : null;
        return make("li", {}, make("a", { href: view.link(p), "aria-current": p === picture && "true" },
          small, make("span", {}, name + value)));
      }));
    };

    const layers = () => {
      const all = data.pictures ? [["truth", "Truth", `${state.scene}-truth`]] : [];
      if (data.masks) data.segmenters.forEach((s, i) => all.push(
        [s.name, `${s.label}, mIoU ${number(s.miou[picture])}`, `${state.scene}-${state.condition}-${i}`]));
      const said = `Scene ${state.scene} under ${state.condition}, with ${listed(names(scene.present))}`;
      const mask = (name) => `${files}masks/${name}.png`;
      const base = data.pictures ? make("img", { src: image(picture), alt: said }) : null;
      const laid = all.filter(([name]) => over.has(name) || (!base && all[0][0] === name && !over.size));
      part("stage").replaceChildren(...(base ? [base] : []), ...laid.map(([, words, file]) =>
        make("img", { class: base ? "ex-layer" : "ex-alone", src: mask(file), alt: `Label map: ${words}` })));
      part("stage").hidden = !all.length;
      part("shading").hidden = !base;
      const press = (name) => {
        over.has(name) ? over.delete(name) : over.add(name);
        layers();
        part("layers").querySelector(`[data-layer="${CSS.escape(name)}"]`).focus();
      };
      part("layers").replaceChildren(...all.map(([name, words, file]) => make("button", {
        type: "button", "aria-pressed": String(over.has(name)), "data-layer": name,
        onclick: () => press(name),
      }, make("img", { src: mask(file), alt: "" }), make("span", {}, words))));
      if (!data.masks && data.segmenters.length) part("layers").append(make("p", {}, data.segmenters
        .map((s) => `${s.label}: mIoU ${number(s.miou[picture])}`).join("; ")));
      shade(root);
    };

    const truth = () => {
      const verdict = scene.safe ? "safe" : "unsafe";
      part("title").textContent = `Scene ${state.scene} (${scene.id}) under ${state.condition}`;
      const hidden = names(data.hidden[picture]);
      part("truth").replaceChildren(
        make("b", {}, "Truth. "), `The reference says ${verdict} (${scene.why}). In the clean scene: ` +
        `${listed(names(scene.present))}; safety-critical of these: ` +
        `${listed(names(scene.present & data.critical))}.` +
        (hidden.length ? ` Wholly behind the occluder: ${listed(hidden)}.` : ""));
    };

    const spoken = (said, k) => {
      if (said === null || said === undefined) return make("p", {}, "No answer is recorded.");
      if (typeof said === "string") return make("blockquote", {}, said || "(an empty answer)");
      return make("p", { class: "ex-scores" }, "Scores: " +
        said.slice(0, k).map(([label, score]) => `${label} ${number(score)}`).join(", "));
    };
    const answer = (v, i) => {
      const [described, presence, judged] = view.said[picture % count][i];
      const mentioned = names(v.mentioned[picture]).map((name) =>
        chip(name, names(scene.present).includes(name) ? "right" : "wrong"));
      const missed = names(data.critical & scene.present & ~v.mentioned[picture]);
      const decision = { s: "safe", u: "unsafe", a: "no decision" }[v.decisions[picture]];
      const verdict = decision === "no decision" ? "open" : v.smr[picture] ? "wrong" : "right";
      const asked = presence.map(([bit, word, real]) => chip(
        `${data.classes[bit]}: ${{ y: "yes", n: "no", a: "unknown" }[word]}`,
        word === "a" ? "open" : (word === "y") === Boolean(real) ? "right" : "wrong"));
      const read = (...chips) => make("p", {}, "Read as: ", chips.flat(Infinity).length ? chips : "nothing");
      return make("section", { style: `border-color:${v.colour}`, "aria-label": v.full },
        make("h3", {}, v.full),
        make("h4", {}, data.prompts.describe), spoken(described), read(mentioned,
          missed.map((name) => chip(`${name} missed`, "missed"))),
        make("h4", {}, data.prompts.presence), make("p", {}, asked.length ? asked : "Not asked."),
        make("h4", {}, data.prompts.safety), spoken(judged), read(chip(decision, verdict)),
        make("p", { class: "ex-terms" }, `HR ${number(v.hr[picture])} · COR ` +
          `${v.cor[picture] === null ? "– (no critical class)" : number(v.cor[picture], 0)} · ` +
          `SMR ${number(v.smr[picture], 0)}`));
    };

    fields();
    stories();
    layers();
    truth();
    part("answers").setAttribute("aria-busy", String(!view.said));
    if (view.said) part("answers").replaceChildren(...data.vlms.map(answer));
    else part("answers").replaceChildren(make("p", {}, "Loading what was said …"));
  };

  window.vlmisView = { make, draw, shade };
})();
