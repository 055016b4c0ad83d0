// How a row is shown: a picture on a canvas, the cells of a line, or a curve.

/** A number of days since 1970 as a date. */
const dateOf = (days) => {
  const date = new Date(Math.round(days * 86400) * 1000);
  return Number.isNaN(date.getTime()) ? "–" : date.toISOString().slice(0, 10);
};

/** The nearest whole number, of a half the one further from 0. */
const nearest = (value) => Math.sign(value) * Math.round(Math.abs(value)) + 0;

/** The cell that the numbers of a field stand for; of classes the likeliest, and how likely that is. */
function cellOf({ kind, at, more, whole }, values) {
  const number = () => more[0] + more[1] * values[at];
  switch (kind) {
    case "real": return { text: spoken(whole ? nearest(number()) : number()) };
    case "positive": return { text: spoken(whole ? Math.max(1, nearest(Math.exp(number()))) : Math.exp(number())) };
    case "count": return { text: spoken(Math.max(0, Math.round(Math.expm1(number())))) };
    case "date": return { text: dateOf(number()) };
    case "ordinal": {
      const place = Math.round(values[at] * (more.length - 1));
      return { text: spoken(more[Math.min(Math.max(place, 0), more.length - 1)]) };
    }
    case "category": {
      let best = 0;
      for (let k = 1; k < more.length; k++) if (values[at + k] > values[at + best]) best = k;
      return { text: more[best], share: values[at + best] };
    }
    default: return { text: "–" };
  }
}

function paint(canvas, { width, height, channels, low, high }, values) {
  const image = new ImageData(width, height);
  const level = (value) => Math.round(255 * Math.min(Math.max((value - low) / (high - low), 0), 1));
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) {
      // Of two channels the third is empty; one is grey.
      const from = channels === 1 ? 0 : c;
      image.data[4 * pixel + c] = from < channels ? level(values[pixel * channels + from]) : 0;
    }
    image.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Cells beside the names of their columns. */
function tell(body, fields, cells) {
  while (body.rows.length < fields.length) {
    const row = body.insertRow();
    const head = element("th", "", fields[row.rowIndex].name);
    head.scope = "row";
    row.append(head, element("td", "number"));
  }
  cells.forEach(({ text, share }, at) => {
    const cell = body.rows[at].cells[1];
    cell.replaceChildren(text);
    if (share !== undefined) cell.append(element("small", "", `${Math.round(100 * share)} % likely`));
  });
}

function draw(svg, values) {
  let [low, high] = [Math.min(...values), Math.max(...values)];
  const seen = svg.dataset;
  // The scale only ever grows, so that what moves is the row.
  low = Math.min(low, seen.low === undefined ? low : Number(seen.low));
  high = Math.max(high, seen.high === undefined ? high : Number(seen.high));
  Object.assign(seen, { low, high });
  const last = Math.max(values.length - 1, 1);
  const place = (value, i) => `${(4 + (232 * i) / last).toFixed(1)},${(112 - (104 * (value - low)) / (high - low || 1)).toFixed(1)}`;
  svg.firstElementChild.setAttribute("points", Array.from(values, place).join(" "));
}

/** Shows a row, where decoded rows are shown or elsewhere. */
function show(look, values, stage = find("decoded")) {
  if (look.kind === "pictures") paint(stage, look, values);
  else if (look.kind === "table") tell(stage, look.fields, look.fields.map((field) => cellOf(field, values)));
  else draw(stage, values);
}
