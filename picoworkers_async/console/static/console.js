// Keeps the page new: texts by textContent, forms without a reload. Nothing a stranger wrote becomes HTML here.
"use strict";

const live = document.getElementById("live");
const said = document.getElementById("said");

function say(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function putNumbers(numbers) {
  for (const element of document.querySelectorAll("[data-number]")) {
    if (element.dataset.number in numbers) say(element, numbers[element.dataset.number]);
  }
}

function putPlot(shape) {
  const svg = document.querySelector("svg[data-plot]");
  const low = svg.querySelectorAll(".passed");
  const high = svg.querySelectorAll(".held");
  shape.bars.forEach(([y, height, upperY, upper], number) => {
    low[number].setAttribute("y", y);
    low[number].setAttribute("height", height);
    high[number].setAttribute("y", upperY);
    high[number].setAttribute("height", upper);
  });
  const line = svg.querySelector(".limit");
  const y = shape.line === null ? -9 : shape.line;
  line.setAttribute("y1", y);
  line.setAttribute("y2", y);
  say(document.querySelector("[data-top]"), shape.top);
}

function newRow(name) {
  const pattern = document.querySelector(`template[data-row-of="${name}"]`);
  return pattern.content.firstElementChild.cloneNode(true);
}

function fill(row, values) {
  row.dataset.key = values.key;
  for (const element of row.querySelectorAll("[data-field]")) {
    const value = values[element.dataset.field] || "";
    say(element, value);
    if (element.hasAttribute("data-state")) element.dataset.state = value;
  }
  for (const input of row.querySelectorAll("[data-value]")) input.value = values[input.dataset.value] || "";
  for (const form of row.querySelectorAll("form[data-if]")) {
    const hide = !values[form.dataset.if];
    // What is hidden cannot keep the focus: it goes to the next thing in the row.
    if (hide && !form.hidden && form.contains(document.activeElement)) {
      form.hidden = true;
      row.querySelector("form:not([hidden]) :is(button, input:not([type=hidden]))")?.focus();
    }
    form.hidden = hide;
  }
}

// Rows with forms keep their elements, and so what somebody types there; all others are filled in by place.
function putRows(name, { rows, note, next }) {
  const body = document.querySelector(`[data-table="${name}"]`);
  if (!body) return;
  if (body.hasAttribute("data-keyed")) {
    const known = new Map([...body.children].map((row) => [row.dataset.key, row]));
    rows.forEach((values, place) => {
      const row = known.get(values.key) || newRow(name);
      known.delete(values.key);
      fill(row, values);
      if (body.children[place] !== row) body.insertBefore(row, body.children[place] || null);
    });
    for (const row of known.values()) row.remove();
  } else {
    rows.forEach((values, place) => fill(body.children[place] || body.appendChild(newRow(name)), values));
    while (body.children.length > rows.length) body.lastElementChild.remove();
  }
  say(document.querySelector(`[data-note="${name}"]`), note);
  document.querySelector(`[data-empty="${name}"]`).hidden = rows.length > 0;
  const later = body.closest("section").querySelector("a[rel=next]");
  if (later) later.hidden = !next;
}

let news = {};
let asked = false;

function draw() {
  asked = false;
  const parts = news;
  news = {};
  for (const [name, part] of Object.entries(parts)) {
    if (name === "numbers") putNumbers(part);
    else if (name === "plot") putPlot(part);
    else putRows(name.slice("table:".length), part);
  }
}

// Drawn once a frame at most, and not at all while nobody looks: the newest of each part is enough.
function take(message) {
  Object.assign(news, JSON.parse(message.data));
  if (!asked) {
    asked = true;
    requestAnimationFrame(draw);
  }
}

function listen() {
  const source = new EventSource(document.body.dataset.events);
  source.onopen = () => {
    live.dataset.state = "live";
    say(live, "Live.");
  };
  source.onmessage = take;
  source.onerror = () => {
    live.dataset.state = "away";
    say(live, "Not connected; trying again. What is shown may be old.");
    // A browser tries again by itself, but not after an answer that refused.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const body = new URLSearchParams(new FormData(form, event.submitter));
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
    said.dataset.state = answer.ok ? "done" : "refused";
    say(said, (await answer.json()).said);
  } catch {
    said.dataset.state = "refused";
    say(said, "The sandbox cannot be reached, so it is not known whether that was done.");
  }
});

listen();
