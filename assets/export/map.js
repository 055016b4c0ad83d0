// The map of codes of two dimensions: what the decoder makes of each place, and a code that is dragged over it.

/** Places along each side. */
const TILES = 16;
const SHIFTED = 5;

function readMap(model, data, turned, codes) {
  const plane = find("plane");
  if (!plane) return () => {};
  const reach = [0, 1].map((one) => data.dimensions.find(({ number }) => number === one)).map(({ low, high }) => [low, high]);
  const share = (value, [low, high]) => Math.min(Math.max((value - low) / (high - low), 0), 1);
  const { look } = data;

  const paintTiles = latest(async () => {
    if (look.kind !== "pictures") return;
    const places = new Float32Array(2 * TILES * TILES);
    const middle = (at, [low, high]) => low + ((at + 0.5) / TILES) * (high - low);
    for (let row = 0; row < TILES; row++) {
      for (let column = 0; column < TILES; column++) {
        places.set([middle(column, reach[0]), middle(TILES - 1 - row, reach[1])], 2 * (row * TILES + column));
      }
    }
    const rows = await model.decode(places, turned.known);
    const canvas = find("manifold");
    [canvas.width, canvas.height] = [TILES * look.width, TILES * look.height];
    const tile = element("canvas");
    [tile.width, tile.height] = [look.width, look.height];
    const context = canvas.getContext("2d");
    for (let at = 0; at < TILES * TILES; at++) {
      paint(tile, look, rows.subarray(at * model.features, (at + 1) * model.features));
      context.drawImage(tile, (at % TILES) * look.width, Math.floor(at / TILES) * look.height);
    }
  });

  codes.forEach((code) => {
    if (look.kind === "pictures") return;
    const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    dot.setAttribute("cx", 100 * share(code[0], reach[0]));
    dot.setAttribute("cy", 100 - 100 * share(code[1], reach[1]));
    dot.setAttribute("r", 1.2);
    find("plane-rows").append(dot);
  });
  const mark = (code) => {
    find("plane-code").setAttribute("cx", 100 * share(code[0], reach[0]));
    find("plane-code").setAttribute("cy", 100 - 100 * share(code[1], reach[1]));
  };
  turned.onCode(mark);
  mark(turned.code());

  const at = (across, down) => turned.goTo([0, 1].map((i) => {
    const [low, high] = reach[i];
    return low + Math.min(Math.max(i === 0 ? across : 1 - down, 0), 1) * (high - low);
  }));
  const point = (event) => {
    const box = plane.getBoundingClientRect();
    at((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  };
  plane.addEventListener("pointerdown", (event) => {
    plane.setPointerCapture(event.pointerId);
    point(event);
  });
  plane.addEventListener("pointermove", (event) => { if (event.buttons || event.pointerType === "touch") point(event); });
  plane.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const length = event.shiftKey ? SHIFTED : 1;
    turned.goTo(turned.code().map((value, i) => {
      const [low, high] = reach[i];
      return Math.min(Math.max(value + (move[i] * length * (high - low)) / 50, low), high);
    }));
  });
  turned.onTold(paintTiles);
  paintTiles();
  return paintTiles;
}
