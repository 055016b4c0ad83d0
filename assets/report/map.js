// The map: a row is read by pointing at its dot or by arrow keys, and sliders go to its code.

function readMap(map, goTo) {
  const stage = find("map-stage");
  const svg = stage.querySelector("svg");
  const dots = Array.from(svg.querySelectorAll(".dots circle"));
  const chosen = svg.querySelector(".chosen");
  const card = find("map-card");
  const codes = map.codes ? floatsOf(map.codes) : null;
  let at = -1;

  const thumbnail = (row) => {
    const { source, width, height, columns } = map.thumbs;
    const canvas = element("canvas", "pixels thumb");
    canvas.width = width;
    canvas.height = height;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Picture of ${map.rows[row]}`);
    const sheet = new Image();
    sheet.onload = () => canvas.getContext("2d").drawImage(
      sheet, (row % columns) * width, Math.floor(row / columns) * height, width, height, 0, 0, width, height);
    sheet.src = source;
    return canvas;
  };

  const read = (row) => {
    if (row === at) return;
    at = row;
    const [x, y] = map.points[row];
    chosen.setAttribute("cx", x);
    chosen.setAttribute("cy", y);
    chosen.setAttribute("visibility", "visible");
    const lines = [element("p", "title", map.rows[row])];
    if (map.labels) lines.push(element("p", "", `Label: ${map.labels[row]}`));
    if (map.said) {
      const list = element("dl");
      map.said.names.forEach((name, i) => {
        const pair = element("div");
        pair.append(element("dt", "", name), element("dd", "", map.said.cells[row][i] || "a gap"));
        list.append(pair);
      });
      lines.push(list);
    }
    if (codes && goTo) lines.push(element("p", "hint", "Click, or press Enter: the sliders below go to its code."));
    card.replaceChildren(...(map.thumbs ? [thumbnail(row)] : []), ...lines);
  };

  const take = (row) => {
    if (codes && goTo) goTo(codes.subarray(row * map.latent, (row + 1) * map.latent), map.labels && map.labels[row]);
  };

  const nearest = (event) => {
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    let best = 0;
    let least = Infinity;
    map.points.forEach(([px, py], row) => {
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least) [best, least] = [row, distance];
    });
    return best;
  };

  stage.addEventListener("pointermove", (event) => read(nearest(event)));
  stage.addEventListener("click", (event) => { read(nearest(event)); take(at); });
  stage.addEventListener("keydown", (event) => {
    const last = map.points.length - 1;
    const to = {
      ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: last,
    }[event.key];
    if (event.key === "Enter" && at >= 0) take(at);
    if (to === undefined) return;
    event.preventDefault();
    read(Math.min(Math.max(to, 0), last));
  });

  const choice = find("colouring");
  if (choice) {
    const colour = () => {
      const { classes, key } = map.colourings[Number(choice.value)];
      dots.forEach((dot, row) => dot.setAttribute("class", classes[row]));
      find("map-key").replaceChildren(...key.map(([className, name]) => {
        const line = element("li");
        line.append(element("span", `swatch ${className}`), name);
        return line;
      }));
    };
    choice.addEventListener("change", colour);
    // A browser that goes back keeps what was chosen.
    colour();
  }

  /** The code and the label of a row by chance. */
  return codes && (() => {
    const row = Math.floor(Math.random() * map.points.length);
    read(row);
    take(row);
  });
}
