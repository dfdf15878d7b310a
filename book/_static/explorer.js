/* The explorer page: any scene, any condition, and the stories among them.
   Opened from the file system a page may not fetch: data arrive as scripts that call vlmisExplorer. */
(() => {
  "use strict";
  const root = document.getElementById("viewer");
  if (!root) return;
  const files = root.dataset.files;
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const words = new Map(); // scene -> what was said about it
  const asked = new Set(); // scenes whose words are on their way
  let data, state, start, found = [];

  const { make, draw, shade } = window.vlmisView;
  const at = (scene = state.scene, condition = state.condition) =>
    scene * data.conditions.length + data.conditions.indexOf(condition);
  const sceneOf = (picture) => Math.floor(picture / data.conditions.length);
  const conditionOf = (picture) => data.conditions[picture % data.conditions.length];
  const cleanOf = (picture) => picture - (picture % data.conditions.length);
  const truthOf = (picture) => data.scenes[sceneOf(picture)];

  // Each story: its words, what it needs beside a model, and whether a picture tells it of a VLM.
  const changed = (p, v) => v.decisions[p] !== v.decisions[cleanOf(p)];
  const STORIES = {
    all: ["every image", null, () => true],
    "false-safe": ["judged safe though unsafe", null, (p, v) => v.decisions[p] === "s" && !truthOf(p).safe],
    "false-alarm": ["judged unsafe though safe", null, (p, v) => v.decisions[p] === "u" && truthOf(p).safe],
    abstains: ["judgement not given", null, (p, v) => v.decisions[p] === "a"],
    turned: ["judged rightly when clean, wrongly here", null, (p, v) => v.smr[p] && !v.smr[cleanOf(p)]],
    hallucinates: ["hallucinates a class", "class", (p, v) =>
      v.mentioned[p] & ~truthOf(p).present & bits(state.class)],
    omits: ["misses a class that is there", "class", (p, v) =>
      ~v.mentioned[p] & truthOf(p).present & bits(state.class)],
    unseen: ["mIoU hardly fell, judgement changed", "below", (p, v) => {
      const lost = segmenter().lost[p];
      return p !== cleanOf(p) && lost !== null && lost < Number(state.below) && changed(p, v);
    }],
  };
  const bits = (name) => (name === "any" ? ~0 : 1 << data.classes.indexOf(name));
  const segmenter = () => data.segmenters.find((s) => s.name === state.segmenter);

  const open = (index) => {
    data = index;
    const first = (list) => (list.length ? list[0].name : "");
    start = { scene: 0, condition: data.conditions[0], story: "all", vlm: "any", under: "any",
      class: "any", segmenter: first(data.segmenters), below: "0.02", sort: "none", order: "down" };
    if (!data.segmenters.length) delete STORIES.unseen;
    fill("story", Object.entries(STORIES).map(([key, story]) => [key, story[0]]));
    fill("vlm", [["any", "any VLM"], ...data.vlms.map((v) => [v.name, v.label])]);
    fill("under", [["any", "any condition"], ...data.conditions.map((c) => [c, c])]);
    fill("class", [["any", "any"], ...data.classes.map((c) => [c, c])]);
    fill("segmenter", data.segmenters.map((s) => [s.name, s.label]));
    fill("sort", [["none", "order of the run"],
      ...data.signals.map((s) => [s.key, s.model ? `${s.model}: ${s.words}` : s.words])]);
    fill("scene", data.scenes.map((s, i) => [i, `${i}: ${s.id}`]));
    const pick = (event) => go({ condition: event.target.value });
    part("conditions").append(...data.conditions.map((value) => make("label", {},
      make("input", { type: "radio", name: "ex-condition", value, onchange: pick }), value)));
    part("presets").append(...presets().flatMap(([text, wanted]) =>
      [make("button", { type: "button", onclick: () => choose(wanted) }, text), " "]));
    part("colours").append(...data.colours.map(([name, shade]) =>
      make("li", {}, make("span", { style: `background:${shade}` }), name)));
    part("note").textContent = data.note;
    part("note").hidden = !data.note;
    for (const name of ["story", "vlm", "under", "class", "segmenter", "below", "sort", "order"])
      part(name).addEventListener("change", (event) => choose({ [name]: event.target.value }));
    part("scene").addEventListener("change", (event) => go({ scene: Number(event.target.value) }));
    part("previous").addEventListener("click", () => step(-1));
    part("next").addEventListener("click", () => step(1));
    part("opacity").addEventListener("input", () => shade(root));
    part("copy").addEventListener("click", copy);
    root.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("keydown", key);
    window.addEventListener("hashchange", read);
    part("all").hidden = false;
    read();
    part("more").open = address(state).size > 2;
  };

  const fill = (name, pairs) =>
    part(name).replaceChildren(...pairs.map(([value, text]) => make("option", { value }, text)));
  const presets = () => {
    const last = data.conditions[data.conditions.length - 1];
    const all = [[`Judged safe under ${last} though unsafe`, { story: "false-safe", under: last }]];
    if (data.classes.includes("pedestrian"))
      all.push(["Hallucinates a pedestrian", { story: "hallucinates", class: "pedestrian" }]);
    if (data.segmenters.length && data.conditions.length > 1)
      all.push(["mIoU fell by less than .02, judgement changed", { story: "unseen", below: "0.02" }]);
    all.push(["Every image", {}]);
    return all.map(([text, wanted]) => [text, { ...start, ...wanted }]);
  };

  // The state of the page is what stands behind the # of its address.
  const read = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    const next = { ...start };
    for (const name of Object.keys(start)) {
      const value = given.get(name);
      const field = part(name);
      const known = field?.options ? [...field.options].some((o) => o.value === value) : true;
      if (value !== null && known) next[name] = value;
    }
    const named = data.scenes.findIndex((s) => s.id === given.get("scene"));
    next.scene = named >= 0 ? named : Math.min(Number(next.scene) || 0, data.scenes.length - 1);
    if (!data.conditions.includes(next.condition)) next.condition = start.condition;
    state = next;
    search();
    if (!given.has("scene") && state.story !== "all" && found.length) show(found[0]);
    render();
  };
  const address = (wanted) => new URLSearchParams(Object.entries(wanted).filter(([name, value]) =>
    name === "scene" || name === "condition" || value !== start[name]));
  const write = () => {
    history.replaceState(null, "", `#${address(state)}`);
    part("link").value = location.href;
    part("copy").textContent = "Copy";
  };
  const render = () => {
    if (!words.has(state.scene) && !asked.has(state.scene)) {
      asked.add(state.scene);
      document.head.append(make("script", { src: `${files}words/${state.scene}.js` }));
    }
    write();
    const link = (p) => `#${address({ ...state, scene: sceneOf(p), condition: conditionOf(p) })}`;
    const needs = STORIES[state.story][1];
    draw({ root, data, state, found, said: words.get(state.scene), needs, link });
  };
  const show = (picture) => {
    state.scene = sceneOf(picture);
    state.condition = conditionOf(picture);
  };
  const go = (wanted) => {
    Object.assign(state, wanted);
    render();
  };
  const choose = (wanted) => {
    const { scene, condition } = state;
    Object.assign(state, wanted, { scene, condition });
    search();
    if (found.length && !found.includes(at())) show(found[0]);
    render();
  };

  const search = () => {
    const [, , tells] = STORIES[state.story];
    const vlms = data.vlms.filter((v) => state.vlm === "any" || v.name === state.vlm);
    const here = (p) => state.under === "any" || conditionOf(p) === state.under;
    const told = (p) => state.story === "all" || vlms.some((v) => tells(p, v));
    found = [...Array(data.scenes.length * data.conditions.length).keys()]
      .filter((p) => here(p) && told(p));
    const signal = data.signals.find((s) => s.key === state.sort);
    if (!signal) return;
    const sign = state.order === "up" ? 1 : -1;
    const value = (p) => signal.values[p];
    found.sort((a, b) => (value(a) === null) - (value(b) === null) || sign * (value(a) - value(b)) || a - b);
  };
  // Without a story one steps from scene to scene, with one from picture to picture of those found.
  const step = (by) => {
    if (state.story === "all" && state.sort === "none" && state.under === "any") {
      go({ scene: Math.max(0, Math.min(data.scenes.length - 1, state.scene + by)) });
    } else if (found.length) {
      const place = found.indexOf(at());
      show(found[place < 0 ? 0 : Math.max(0, Math.min(found.length - 1, place + by))]);
      render();
    }
  };
  const key = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    const across = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const along = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (across) step(across);
    else if (along && part("stage").contains(event.target)) {
      const place = data.conditions.indexOf(state.condition) + along;
      go({ condition: data.conditions[Math.max(0, Math.min(data.conditions.length - 1, place))] });
    } else return;
    event.preventDefault();
  };
  const copy = async () => {
    part("link").select();
    try { await navigator.clipboard.writeText(part("link").value); } catch { document.execCommand("copy"); }
    part("copy").textContent = "Copied";
  };

  window.vlmisExplorer = {
    open,
    words: (scene, said) => {
      words.set(scene, said);
      if (scene === state.scene) render();
    },
  };
  window.addEventListener("load", () => { part("missing").hidden = Boolean(data); });
})();
