"use strict";
// The page works in three steps: unpack what is in the file, draw the charts that are
// described in it, and let people filter the trials. Text of a study is only ever set
// as text, never as HTML.
(() => {
  const MOST_LINES = 2000, PAGE = 25, PAPER = 670;
  const byId = (id) => document.getElementById(id);
  let printing = false;
  const paper = () => printing || matchMedia("print").matches;
  const narrow = () => !paper() && document.documentElement.clientWidth < 600;
  const frame = () => new Promise((done) => setTimeout(done, 0));
  const escaped = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  async function unpacked(id) {
    const signs = atob(byId(id).textContent), packed = new Uint8Array(signs.length);
    for (let place = 0; place < signs.length; place++) packed[place] = signs.charCodeAt(place);
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // ---- charts -------------------------------------------------------------------
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  function colored(value) {
    if (typeof value === "string") return /^\$\w+$/.test(value) ? color(value.slice(1)) : value;
    if (Array.isArray(value)) return value.map(colored);
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, colored(inner)]));
    return value;
  }

  function layoutOf(given) {
    const axis = { gridcolor: color("grid"), zerolinecolor: color("line"), linecolor: color("line"),
      automargin: true, fixedrange: true, ticks: "outside", tickcolor: color("line"), nticks: narrow() ? 4 : 8,
      tickfont: { size: 12, color: color("soft") }, separatethousands: true };
    const layout = colored(given);
    for (const name of ["xaxis", "yaxis"]) {
      const own = layout[name];
      if (own?.title) own.title.font = { size: 13, color: color("soft") };
      if (narrow() && own?.tickvals?.length > 6) {  // room for every second one
        own.tickvals = own.tickvals.filter((_, place) => place % 2 === 0);
        own.ticktext = own.ticktext.filter((_, place) => place % 2 === 0);
      }
    }
    return {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false, hovermode: "closest",
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: color("ink") },
      hoverlabel: { bgcolor: color("panel"), bordercolor: color("soft"), font: { color: color("ink"), size: 13 }, align: "left" },
      ...layout, ...(paper() ? { width: PAPER } : {}),
      margin: { l: 56, r: 14, t: 14, b: 46, ...layout.margin },
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", traceorder: "normal",
        itemclick: false, itemdoubleclick: false, ...layout.legend },
      xaxis: { ...axis, ...layout.xaxis }, yaxis: { ...axis, ...layout.yaxis },
    };
  }

  const CONFIG = { displayModeBar: false, responsive: true };
  const specs = JSON.parse(byId("specs").textContent);

  function draw(name) {
    const chart = byId(`chart-${name}`), { data, layout } = structuredClone(specs[name]);
    chart.dataset.height ??= parseInt(chart.style.height, 10);
    const legend = narrow() && data.length > 3 ? 15 * data.length : 0;  // one below the other
    chart.style.height = `${Number(chart.dataset.height) + legend}px`;
    Plotly.react(chart, colored(data), layoutOf(layout), CONFIG);
  }

  // ---- numbers as people read them ----------------------------------------------
  const threeDigits = (value) => String(Number(value.toPrecision(3)));

  function human(value, column) {
    if (!Number.isFinite(value)) return "–";
    if (column.unit === "USD" || column.unit === "1/s") return `${value >= 100 ? Math.round(value).toLocaleString("en") : threeDigits(value)} ${column.unit}`;
    if (!column.scales.length) return Math.abs(value) >= 1e6 ? value.toExponential(3).replace("e+", "e") : String(Number(value.toPrecision(4)));
    const fitting = column.scales.find(([size]) => Math.abs(value) >= size * 0.9995) || column.scales.at(-1);
    return `${threeDigits(value / fitting[0])} ${fitting[1]}`;
  }

  function read(text, column) {  // "100GB/s" as a number; not a number if it is none
    const match = /^([-+]?[\d.,]+(?:e[-+]?\d+)?)\s*(\S*)$/i.exec(text);
    if (!match) return NaN;
    const scale = (column.scales || []).find(([, name]) => name.toLowerCase() === match[2].toLowerCase());
    return match[2] && !scale ? NaN : Number(match[1].replaceAll(",", "")) * (scale ? scale[0] : 1);
  }

  // ---- the trials ---------------------------------------------------------------
  class Trials {
    constructor(bytes) {
      const end = bytes.indexOf(10);
      Object.assign(this, JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))));
      const kinds = { u1: Uint8Array, u4: Uint32Array, f4: Float32Array };
      for (const column of this.columns) {
        const kind = kinds[column.type], start = end + 1 + column.at;
        column.values = new kind(bytes.slice(start, start + this.rows * kind.BYTES_PER_ELEMENT).buffer);
      }
      this.byName = new Map(this.columns.map((column) => [column.name.toLowerCase(), column]).reverse());
      const sought = this.byName.get(this.sought.toLowerCase());
      const sign = this.higher ? -1 : 1;
      this.ranked = Uint32Array.from({ length: this.rows }, (_, row) => row).sort((a, b) =>
        compared(sign * sought.values[a], sign * sought.values[b]) || a - b);
      this.rank = new Uint32Array(this.rows);
      this.ranked.forEach((row, place) => { this.rank[row] = place; });
    }

    text(column, row) {
      return column.texts ? column.texts[column.values[row]] : human(column.values[row], column);
    }

    // Whether each row passes a filter: words and comparisons, all of which must hold.
    passing(query) {
      const kept = new Uint8Array(this.rows).fill(1);
      for (const token of query.trim().split(/\s+/).filter(Boolean)) {
        const match = /^(.+?)(<=|>=|!=|=|<|>)(.+)$/.exec(token);
        const column = match && this.byName.get(match[1].toLowerCase());
        if (column) this.keep(kept, column, match[2], match[3]);
        else this.keepWord(kept, token.toLowerCase());
      }
      return kept;
    }

    keep(kept, column, sign, text) {
      const wanted = read(text, column);
      const holds = {
        "<": (x) => x < wanted, "<=": (x) => x <= wanted, ">": (x) => x > wanted, ">=": (x) => x >= wanted,
        "=": (x) => Math.abs(x - wanted) <= 5e-4 * Math.abs(wanted), "!=": (x) => !(Math.abs(x - wanted) <= 5e-4 * Math.abs(wanted)),
      }[sign];
      if (!column.texts) {
        for (let row = 0; row < this.rows; row++) if (!holds(column.values[row])) kept[row] = 0;
        return;
      }
      const passes = column.texts.map((shown, code) => {
        const same = shown.toLowerCase().replaceAll(" ", "") === text.toLowerCase();
        if (sign === "=" && same) return true;
        if (sign === "!=" && same) return false;
        return column.numbers.length ? holds(column.numbers[code]) : sign === "!=";
      });
      for (let row = 0; row < this.rows; row++) if (!passes[column.values[row]]) kept[row] = 0;
    }

    keepWord(kept, word) {
      const found = new Uint8Array(this.rows);
      for (const column of this.columns.filter((one) => one.texts)) {
        const passes = column.texts.map((shown) => shown.toLowerCase().includes(word));
        if (passes.some(Boolean)) for (let row = 0; row < this.rows; row++) if (passes[column.values[row]]) found[row] = 1;
      }
      for (let row = 0; row < this.rows; row++) if (!found[row] && String(row) !== word) kept[row] = 0;
    }
  }

  function compared(a, b) {  // what is not a number comes last
    if (a === b) return 0;
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return a < b ? -1 : 1;
  }

  // ---- parallel coordinates -----------------------------------------------------
  // An axis stands for a column: texts at their places, numbers by size, most on a
  // logarithmic scale.
  function axisOf(column) {
    const label = escaped(column.name.replace(/_/g, " "));
    if (column.texts) {
      const step = Math.ceil(column.texts.length / 16);
      const places = column.texts.map((_, code) => code).filter((code) => code % step === 0);
      const last = column.texts.length - 1;
      return { column, place: (value) => value, range: last ? [0, last] : [-1, 1], label,
        tickvals: places, ticktext: places.map((code) => escaped(column.texts[code])) };
    }
    let low = Infinity, high = -Infinity;
    for (const value of column.values) if (Number.isFinite(value)) { low = Math.min(low, value); high = Math.max(high, value); }
    if (low > high) return null;
    const bend = low > 0 && high / low > 3 ? Math.log10 : (value) => value;
    const [from, to] = low === high ? [bend(low) - 1, bend(low) + 1] : [bend(low), bend(high)];
    const places = low === high ? [from + 1] : [0, 1, 2, 3, 4, 5].map((part) => from + (to - from) * part / 5);
    if (bend === Math.log10) places.splice(0, 6, ...powers(low, high));
    return { column, place: bend, range: [from, to], label, tickvals: places,
      ticktext: places.map((place) => human(bend === Math.log10 ? 10 ** place : place, column)) };
  }

  // Logarithms of the ends, and of 1, 2 and 5 times powers of ten well between them.
  function powers(low, high) {
    const from = Math.log10(low), to = Math.log10(high), room = (to - from) / 12, found = [from];
    for (let power = Math.floor(from); power <= to; power++)
      for (const step of [1, 2, 5]) {
        const place = power + Math.log10(step);
        if (place - found.at(-1) >= room && to - place >= room) found.push(place);
      }
    return [...found, to];
  }

  class Explorer {
    constructor(trials) {
      this.trials = trials;
      this.axes = new Map(trials.columns.map((column) => [column.name, axisOf(column)]).filter(([, axis]) => axis));
      this.shown = trials.axes.filter((name) => this.axes.has(name));
      this.brushes = new Map();  // name of a column -> [[from, to], ...] on its axis
      this.sort = { name: null, down: false };
      this.page = 0;
      byId("once").parentElement.hidden = !trials.byName.has("again");
      this.offerAxes();
      this.headTable();
      this.listen();
      this.filter();
    }

    listen() {
      let waiting = 0;
      byId("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => this.filter(), 150); });
      byId("once").addEventListener("change", () => this.filter());
      byId("filters").addEventListener("submit", (event) => { event.preventDefault(); this.filter(); });
      byId("clear").addEventListener("click", () => { byId("search").value = ""; byId("once").checked = false; this.brushes.clear(); this.filter(); });
      const turn = { first: () => 0, previous: () => this.page - 1, next: () => this.page + 1, last: () => this.pages() - 1 };
      for (const [id, to] of Object.entries(turn)) byId(id).addEventListener("click", () => { this.page = to(); this.fillTable(); });
    }

    offerAxes() {
      for (const [name] of this.axes) {
        const label = document.createElement("label"), box = document.createElement("input");
        box.type = "checkbox";
        box.checked = this.shown.includes(name);
        box.addEventListener("change", () => {
          this.shown = [...this.axes.keys()].filter((other) => other === name ? box.checked : this.shown.includes(other));
          this.brushes.delete(name);
          this.filter();
        });
        label.append(box, name);
        byId("axes").append(label);
      }
    }

    // After the words of the filter: draw the lines that pass; then apply the brushes.
    filter() {
      this.passed = this.trials.passing(byId("search").value);
      const again = byId("once").checked && this.trials.byName.get("again");
      if (again) for (let row = 0; row < this.trials.rows; row++) if (again.values[row]) this.passed[row] = 0;
      this.select();  // at once, for lines may take a while without a graphics card
      clearTimeout(this.drawing);
      this.drawing = setTimeout(() => this.drawLines(), 30);
    }

    drawLines() {
      const { ranked, rank, rows, drawn_if: drawable } = this.trials;
      const fit = drawable ? this.trials.byName.get(drawable).values : null;
      const may = ranked.filter((row) => this.passed[row] && (!fit || fit[row] === 0));
      const step = Math.max(1, (may.length - MOST_LINES / 10) / (0.9 * MOST_LINES));
      const lines = [];
      for (let place = 0; place < may.length; place += place < MOST_LINES / 10 ? 1 : step) lines.push(may[Math.floor(place)]);
      lines.reverse();
      byId("drawn").textContent = (lines.length < may.length
        ? `${lines.length.toLocaleString("en")} of ${may.length.toLocaleString("en")} ${fit ? "feasible " : ""}trials drawn, the best ${MOST_LINES / 10} among them; the filter and the table count all.`
        : `${lines.length.toLocaleString("en")} ${fit ? "feasible " : ""}trials drawn.`) + " From the best to the worst: ";
      const ramp = document.createElement("span");
      ramp.className = "ramp";
      byId("drawn").append(ramp);
      const chart = byId("parallel"), onPaper = paper();
      const names = onPaper ? this.shown.slice(-Math.floor(560 / this.gap()) - 1) : this.shown;
      chart.style.minWidth = onPaper ? "0" : `${Math.max(this.shown.length - 1, 1) * this.gap() + 150}px`;
      const worst = Math.max(1, ...may.slice(-1).map((row) => rank[row]));
      const dimensions = names.map((name) => {
        const { column, place, range, label, tickvals, ticktext } = this.axes.get(name);
        const values = lines.map((row) => place(column.values[row])).map((value) => Number.isFinite(value) ? value : range[1]);
        return { name, label, range, tickvals, ticktext, values, constraintrange: this.brushes.get(name) };
      });
      const scale = [[0, color("high")], [0.5, color("middle")], [1, color("low")]];
      const trace = { type: "parcoords", dimensions, labelfont: { size: 12 }, tickfont: { size: 11 }, labelangle: -24, labelside: "top",
        line: { color: lines.map((row) => 1 - rank[row] / worst), colorscale: scale, cmin: 0, cmax: 1 },
        unselected: { line: { color: color("dots"), opacity: 0.06 } } };
      const layout = layoutOf({ margin: { l: 60, r: 90, t: 96, b: 22 } });
      Plotly.react(chart, lines.length ? [trace] : [], layout, CONFIG);
      if (!this.listening) {
        chart.on("plotly_restyle", () => this.brushed());
        this.listening = true;
      }
    }

    gap() {  // pixels from axis to axis, so that texts do not meet
      const longest = Math.max(...this.shown.flatMap((name) => this.axes.get(name).ticktext.map((text) => text.length)), 0);
      return Math.min(150, Math.max(60, 16 + 5.8 * longest));
    }

    brushed() {
      const trace = byId("parallel").data[0];
      if (!trace) return;
      this.shown = trace.dimensions.map((dimension) => dimension.name);  // axes may have been moved
      this.brushes.clear();
      for (const { name, constraintrange: found } of trace.dimensions)
        if (found && found.length) this.brushes.set(name, Array.isArray(found[0]) ? found : [found]);
      this.select();
    }

    select() {
      const { rows } = this.trials, kept = this.passed.slice();
      for (const [name, ranges] of this.brushes) {
        const { column, place } = this.axes.get(name);
        const inside = (value) => ranges.some(([from, to]) => value >= from && value <= to);
        for (let row = 0; row < rows; row++) if (kept[row] && !inside(place(column.values[row]))) kept[row] = 0;
      }
      this.kept = this.trials.ranked.filter((row) => kept[row]);
      this.sorted();
      const axes = this.brushes.size ? `, within the marked stretches of ${[...this.brushes.keys()].join(", ")}` : "";
      byId("count").textContent = `${this.kept.length.toLocaleString("en")} of ${rows.toLocaleString("en")} trials pass the filters${axes}.`;
    }

    sorted() {
      const { name, down } = this.sort, column = name && this.trials.byName.get(name.toLowerCase());
      this.order = this.kept.slice();
      if (name === "trial") this.order.sort((a, b) => a - b);
      else if (column) {
        const { values, numbers } = column;
        const key = numbers && numbers.length ? (row) => numbers[values[row]] : (row) => values[row];
        const sign = down ? -1 : 1;
        this.order.sort((a, b) => compared(sign * key(a), sign * key(b)) || this.trials.rank[a] - this.trials.rank[b]);
      }
      if (name === "trial" && down) this.order.reverse();
      this.page = 0;
      this.fillTable();
    }

    pages() { return Math.max(1, Math.ceil(this.order.length / PAGE)); }

    headTable() {
      const row = document.createElement("tr");
      for (const name of ["trial", ...this.trials.columns.map((column) => column.name)]) {
        const head = document.createElement("th"), button = document.createElement("button");
        const column = this.trials.byName.get(name.toLowerCase());
        head.scope = "col";
        if (column && column.texts && !column.numbers.length) head.className = "word";
        button.type = "button";
        button.textContent = name.replace(/_/g, " ");
        button.addEventListener("click", () => {
          const same = this.sort.name === name;
          this.sort = same && this.sort.down ? { name: null, down: false } : { name, down: same };
          for (const other of row.children) other.removeAttribute("aria-sort");
          for (const other of row.querySelectorAll("button")) other.dataset.mark = "";
          if (this.sort.name) {
            head.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
            button.dataset.mark = this.sort.down ? " ↓" : " ↑";
          }
          this.sorted();
        });
        head.append(button);
        row.append(head);
      }
      byId("trial-table").querySelector("thead").append(row);
    }

    fillTable() {
      const { columns, best } = this.trials, rows = [];
      this.page = Math.min(Math.max(0, this.page), this.pages() - 1);
      for (const row of this.order.slice(this.page * PAGE, (this.page + 1) * PAGE)) {
        const line = document.createElement("tr"), head = document.createElement("th");
        head.scope = "row";
        head.textContent = row.toLocaleString("en");
        if (row === best) { line.className = "marked"; line.title = "the best design"; }
        line.append(head);
        for (const column of columns) {
          const cell = document.createElement("td");
          if (column.texts && !column.numbers.length) cell.className = "word";
          cell.textContent = this.trials.text(column, row);
          line.append(cell);
        }
        rows.push(line);
      }
      byId("trial-table").querySelector("tbody").replaceChildren(...rows);
      const from = this.order.length ? this.page * PAGE + 1 : 0, to = Math.min((this.page + 1) * PAGE, this.order.length);
      byId("place").textContent = `${from.toLocaleString("en")} to ${to.toLocaleString("en")} of ${this.order.length.toLocaleString("en")}`;
      for (const id of ["first", "previous"]) byId(id).disabled = this.page === 0;
      for (const id of ["next", "last"]) byId(id).disabled = this.page >= this.pages() - 1;
    }
  }

  // ---- all of it ----------------------------------------------------------------
  async function begin() {
    const [library, bytes] = await Promise.all([unpacked("plotly"), byId("data").textContent ? unpacked("data") : null]);
    (0, eval)(new TextDecoder().decode(library));
    let explorer = null;
    const all = () => {
      Object.keys(specs).forEach(draw);
      if (explorer) explorer.drawLines();
    };
    for (const name of Object.keys(specs)) { draw(name); await frame(); }
    if (bytes) explorer = new Explorer(new Trials(bytes));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
    matchMedia("print").addEventListener("change", all);
    addEventListener("beforeprint", () => { printing = true; all(); });
    addEventListener("afterprint", () => { printing = false; all(); });
    document.documentElement.dataset.ready = "yes";
  }

  begin().catch((error) => {
    console.error(error);
    for (const chart of document.querySelectorAll(".chart")) {
      chart.style.height = "auto";
      chart.textContent = "This browser cannot draw the chart; the words and tables are complete.";
    }
  });
})();
