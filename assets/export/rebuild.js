// Rows that go through the model: drawn, dropped, or of the data.

/** How thick a line is drawn, as a share of the picture's side. */
const PEN = 0.09;

function rebuildRows(model, data, turned, rows) {
  if (!find("rebuild")) return () => {};
  const { look } = data;
  const pad = find("pad");
  let x = rows.length > 0 ? rows[0].x : new Float32Array(model.features).fill(look.low || 0);
  let code = null;

  const giveIn = () => {
    if (pad) paint(pad, look, x);
    else show(look, x, find("given"));
  };
  const rebuild = latest(async () => {
    const given = turned.known;
    const [again, mean] = [await model.reconstruct(x, given), await model.encode(x, given)];
    code = mean;
    show(look, again, find("rebuilt-row"));
    let [sum, seen] = [0, 0];
    x.forEach((value, i) => { if (!Number.isNaN(value)) { sum += (value - again[i]) ** 2; seen++; } });
    find("rebuild-said").textContent = `Mean squared error of a value: ${spoken(sum / Math.max(seen, 1))}.`;
  });
  const take = (values) => {
    x = values;
    giveIn();
    rebuild();
  };

  const row = find("row");
  if (row) {
    row.addEventListener("change", () => { if (row.value !== "") take(rows[Number(row.value)].x); });
    row.value = rows.length > 0 ? "0" : "";
  }
  find("to-code").addEventListener("click", () => {
    if (!code) return;
    turned.goTo(code);
    find("turn").scrollIntoView();
    sliderOf(data.dimensions[0].number).focus({ preventScroll: true });
  });
  if (pad) drawOn(pad, look, () => x, (values) => { if (row) row.value = ""; take(values); });
  turned.onTold(rebuild);
  giveIn();
  rebuild();
  return rebuild;
}

/** Lets a picture be drawn on a canvas, dropped, or chosen. */
function drawOn(pad, look, given, take) {
  const { width, height, channels, low, high } = look;
  // A level from 0 to 255 as the value of a pixel.
  const value = (level) => low + (level / 255) * (high - low);
  const ink = () => {
    const chosen = find("ink");
    return chosen ? [1, 3, 5].map((at) => parseInt(chosen.value.slice(at, at + 2), 16)) : [255, 255, 255];
  };

  const place = (event) => {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
  };
  let last = null;
  const line = (to) => {
    const from = last || to;
    last = to;
    const values = Float32Array.from(given());
    const colour = ink();
    const radius = Math.max(0.7, (PEN * Math.min(width, height)) / 2);
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const length = dx * dx + dy * dy;
    for (let y = 0; y < height; y++) {
      for (let px = 0; px < width; px++) {
        const [ax, ay] = [px + 0.5 - from[0], y + 0.5 - from[1]];
        const along = length > 0 ? Math.min(Math.max((ax * dx + ay * dy) / length, 0), 1) : 0;
        const far = Math.hypot(ax - along * dx, ay - along * dy);
        // Full within the line, none a pixel outside of it.
        const cover = Math.min(Math.max(radius + 0.5 - far, 0), 1);
        for (let c = 0; cover > 0 && c < channels; c++) {
          const at = (y * width + px) * channels + c;
          const wanted = value(colour[Math.min(c, 2)]);
          values[at] = channels === 1 ? Math.max(values[at], low + cover * (wanted - low)) : values[at] + cover * (wanted - values[at]);
        }
      }
    }
    take(values);
  };
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    last = null;
    line(place(event));
  });
  pad.addEventListener("pointermove", (event) => { if (event.buttons) line(place(event)); });
  find("clear").addEventListener("click", () => take(new Float32Array(width * height * channels).fill(low)));

  const bring = async (file) => {
    if (!file) return;
    try {
      const picture = await createImageBitmap(file);
      const small = element("canvas");
      [small.width, small.height] = [width, height];
      const context = small.getContext("2d");
      context.imageSmoothingQuality = "high";
      // As large as it fits, the middle of the longer side.
      const scale = Math.max(width / picture.width, height / picture.height);
      const [w, h] = [picture.width * scale, picture.height * scale];
      context.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
      const { data } = context.getImageData(0, 0, width, height);
      const values = new Float32Array(width * height * channels);
      for (let pixel = 0; pixel < width * height; pixel++) {
        const [r, g, b] = data.subarray(4 * pixel, 4 * pixel + 3);
        // Grey by Rec. 709.
        const levels = channels === 1 ? [0.2126 * r + 0.7152 * g + 0.0722 * b] : [r, g, b];
        for (let c = 0; c < channels; c++) values[pixel * channels + c] = value(levels[Math.min(c, 2)]);
      }
      take(values);
    } catch {
      find("rebuild-said").textContent = `${file.name} is no picture that this browser can read.`;
    }
  };
  find("file").addEventListener("change", () => bring(find("file").files[0]));
  const drop = find("drop");
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    bring(event.dataTransfer.files[0]);
  });
}

/** New rows, drawn from the prior. */
function newRows(model, data) {
  const list = find("new-rows");
  if (!list) return () => {};
  const { look } = data;
  const count = look.kind === "pictures" ? model.rows : 4;
  let seed = 1;
  const told = new Float32Array(count * data.known.length);
  // Of classes each in turn; else what is known of the first row.
  for (let i = 0; i < count; i++) {
    if (data.classes.length > 0 && data.classes.length === data.known.length) told[i * data.known.length + (i % data.classes.length)] = 1;
    else told.set(data.known, i * data.known.length);
  }
  const named = (i) => (data.classes.length > 0 && data.known.length > 0 ? `New row ${i + 1}, ${data.classes[i % data.classes.length]}` : `New row ${i + 1}`);
  const again = latest(async () => {
    const rows = await model.sample(count, told, seed);
    const row = (i) => rows.subarray(i * model.features, (i + 1) * model.features);
    if (look.kind === "table") {
      const cells = Array.from({ length: count }, (_, i) => look.fields.map((field) => cellOf(field, row(i)).text));
      list.replaceChildren(...look.fields.map(({ name }, at) => {
        const line = element("tr");
        const head = element("th", "", name);
        head.scope = "row";
        line.append(head, ...cells.map((cell) => element("td", "number", cell[at])));
        return line;
      }));
      return;
    }
    list.replaceChildren(...Array.from({ length: count }, (_, i) => {
      if (look.kind === "pictures") {
        const [item, canvas] = [element("li"), element("canvas", "pixels")];
        [canvas.width, canvas.height] = [look.width, look.height];
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", named(i));
        item.append(canvas);
        paint(canvas, look, row(i));
        return item;
      }
      const [figure, svg] = [element("figure"), find("decoded").cloneNode(true)];
      svg.removeAttribute("id");
      svg.setAttribute("aria-label", named(i));
      figure.append(svg);
      show(look, row(i), svg);
      return figure;
    }));
  });
  find("draw").addEventListener("click", () => {
    seed = 1 + Math.floor(Math.random() * 2 ** 31);
    again();
  });
  again();
  return again;
}
