// Stands in for CloudWatch's console: calls a custom widget's function with what CloudWatch calls it with, shows its
// HTML (cleaned by the server), and does what its cwdb-action elements ask for. See «Interactivity in the custom widget
// in CloudWatch» of the user guide.
"use strict";

const root = document.documentElement;
const $ = (selector) => document.querySelector(selector);
let account = "";

function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

// -- the custom widget

function formsOf(card) {
  const all = {};
  for (const field of card.querySelectorAll("input[name], textarea[name], select[name]")) {
    if (!["radio", "checkbox"].includes(field.type) || field.checked) all[field.name] = field.value;
  }
  return all;
}

function contextOf(card) {
  const { dashboard, widget, number } = card.of;
  const end = Date.now();
  return {
    dashboardName: dashboard, widgetId: `widget-${number}`, accountId: account, locale: "es",
    timezone: { label: "UTC", offsetISO: "+00:00", offsetInMinutes: 0 },
    period: 300, isAutoPeriod: true, linkCharts: false, theme: root.dataset.theme, title: widget.title,
    timeRange: { mode: "relative", start: end - 3600000, end, relativeStart: 3600000 },
    forms: { all: formsOf(card) }, params: widget.params, width: card.clientWidth, height: card.clientHeight,
  };
}

async function call(card, endpoint, params, display) {
  const turn = (card.turn = (card.turn || 0) + 1);
  card.setAttribute("aria-busy", "true");
  let answer;
  try {
    const response = await fetch("/invoke", {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ endpoint, event: { ...params, widgetContext: contextOf(card) } }),
    });
    answer = response.ok ? await response.json() : { error: await response.text() };
  } catch (error) {
    answer = { error: `${error}` };
  }
  if (turn !== card.turn) return;
  card.setAttribute("aria-busy", "false");
  card.dataset.shown = turn;
  show(card, display === "popup" ? $("#popup .body") : card.querySelector(".body"), answer);
  if (display === "popup") $("#popup").showModal();
}

function show(card, place, answer) {
  if (answer.html === undefined) {
    place.replaceChildren(make("pre", answer.error ? `La función falló: ${answer.error}` : JSON.stringify(answer.json, null, 2)));
    return;
  }
  place.innerHTML = answer.html;
  for (const form of place.querySelectorAll("form")) form.addEventListener("submit", (event) => event.preventDefault());
  for (const action of place.querySelectorAll("cwdb-action")) bind(card, action);
}

// An action belongs to the element just before it; what it holds is for us, and is not shown.
function bind(card, action) {
  const element = action.previousElementSibling;
  const of = (name, otherwise) => action.getAttribute(name) || otherwise;
  const content = of("action", "html") === "call" ? action.textContent : action.innerHTML;
  const act = async () => {
    if (of("confirmation") && !(await confirmed(of("confirmation")))) return;
    if (of("action", "html") === "call") {
      await call(card, of("endpoint"), content.trim() ? JSON.parse(content) : {}, of("display", "widget"));
    } else if (of("display", "widget") === "popup") {
      $("#popup .body").innerHTML = content;
      $("#popup").showModal();
    } else {
      card.querySelector(".body").innerHTML = content;
    }
  };
  if (element) element.addEventListener(of("event", "click"), (event) => { event.preventDefault(); act(); });
  action.remove();
}

function confirmed(question) {
  const dialog = $("#confirm");
  dialog.querySelector("p").textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

// -- the figures

function spark(values) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 90 22");
  if (values.length > 1) {
    const low = Math.min(...values), high = Math.max(...values), line = document.createElementNS(svg.namespaceURI, "polyline");
    const at = (value, n) => `${(n * 88) / (values.length - 1) + 1},${20 - (18 * (value - low)) / (high - low || 1)}`;
    line.setAttribute("points", values.map(at).join(" "));
    svg.append(line);
  }
  return svg;
}

function figures(widget) {
  const table = make("table", undefined, "series");
  for (const series of widget.series) {
    const row = table.insertRow();
    row.insertCell().textContent = series.label;
    row.insertCell().append(spark(series.values));
    const value = row.insertCell();
    value.className = "value";
    value.textContent = series.value === null ? (series.computable ? "sin datos" : "la calcula CloudWatch")
      : series.value.toLocaleString("es-AR", { maximumFractionDigits: 2 });
    if (series.value === null) value.classList.add("quiet");
  }
  return table;
}

// Of Markdown a dashboard of ours uses what is bold.
function text(markdown) {
  const block = make("div", undefined, "markdown");
  markdown.split("**").forEach((part, n) => block.append(make(n % 2 ? "strong" : "span", part)));
  return block;
}

function contents(widget) {
  if (widget.type === "metric") return figures(widget);
  if (widget.type === "text") return text(widget.markdown);
  if (widget.type === "alarm") return make("div", "Abajo, en «Alarmas».", "quiet");
  return make("div", `(${widget.type}: solo en CloudWatch)`, "quiet");
}

// -- the page

let cards = new Map();

async function load() {
  const response = await fetch("/panel");
  if (!response.ok) {
    $("#where").textContent = "El AWS local ya no responde: se bajó todo.";
    return;
  }
  const panel = await response.json();
  account = panel.account;
  const kept = cards;
  cards = new Map();
  $("#dashboards").replaceChildren(...panel.dashboards.flatMap((d) => [make("h2", d.name), grid(d, kept)]));
  alarms(panel.alarms);
}

// A custom widget that is there already stays as it is: somebody may be writing in it.
function grid(dashboard, kept) {
  const place = make("div", undefined, "grid");
  dashboard.widgets.forEach((widget, number) => {
    const key = `${dashboard.name} ${number}`;
    let card = kept.get(key);
    if (!card || widget.type !== "custom") {
      card = make("article", undefined, widget.type === "custom" ? "card wide" : "card");
      if (widget.title) card.append(make("h3", widget.title, "title"));
      const body = make("div", undefined, "body");
      card.append(body);
      if (widget.type === "custom") {
        card.id = "consola";
        card.of = { dashboard: dashboard.name, widget, number };
        call(card, widget.endpoint, widget.params, "widget");
      } else {
        body.append(contents(widget));
      }
    }
    cards.set(key, card);
    place.append(card);
  });
  return place;
}

function alarms(rows) {
  $("#alarms").hidden = rows.length === 0;
  const table = make("table", undefined, "series");
  for (const alarm of rows) {
    const row = table.insertRow();
    row.insertCell().append(make("span", alarm.state, `state ${alarm.state}`));
    row.insertCell().textContent = alarm.name;
    row.insertCell().textContent = alarm.description;
  }
  $("#alarms > div").replaceChildren(table);
}

function setTheme(theme) {
  root.dataset.theme = theme;
  for (const card of cards.values()) {
    if (card.of) call(card, card.of.widget.endpoint, card.of.widget.params, "widget");
  }
}

for (const dialog of document.querySelectorAll("dialog")) {
  for (const button of dialog.querySelectorAll("button")) button.addEventListener("click", () => dialog.close(button.value));
}
$("#refresh").addEventListener("click", load);
$("#theme").addEventListener("click", () => setTheme(root.dataset.theme === "dark" ? "light" : "dark"));
root.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
load();
