// Codes that are turned on a page whose decoder runs on the GPU, and the walk between two of them.

const WALK = 4000;

/** Turns codes; gives what leads to one, and what has to be drawn again where the weights have moved. */
function turnCodes(model, data, codes) {
  const [codeListeners, toldListeners] = [[], []];
  const redraw = latest(async () => {
    show(data.look, await model.decode(Float32Array.from(code), known));
  });
  const changed = (listeners) => {
    redraw();
    listeners.forEach((hear) => hear(code));
  };
  const { code, known, goTo } = turning(data, () => changed(codeListeners), () => changed(toldListeners));
  if (find("to-row")) {
    find("to-row").addEventListener("click", () => {
      const row = Math.floor(Math.random() * codes.length);
      goTo(codes[row]);
    });
  }

  const ends = [Float32Array.from(codes[0] || data.centre), Float32Array.from(codes[1] || data.centre.map(normal))];
  const showEnds = latest(async () => {
    if (!find("walk-a")) return;
    const rows = await model.decode(Float32Array.from([...ends[0], ...ends[1]]), known);
    ["walk-a", "walk-b"].forEach((id, i) => show(data.look, rows.subarray(i * model.features, (i + 1) * model.features), find(id)));
  });
  const walk = find("walk");
  const walkTo = (share) => goTo(ends[0].map((a, i) => a + share * (ends[1][i] - a)));
  walk.addEventListener("input", () => walkTo(Number(walk.value)));
  ["set-a", "set-b"].forEach((id, i) => find(id).addEventListener("click", () => {
    ends[i] = Float32Array.from(code);
    walk.value = i;
    showEnds();
  }));
  const play = find("walk-play");
  let [walks, from] = [false, 0];
  const walkOn = (now) => {
    if (!walks) return;
    // There and back again.
    const along = ((now - from) / WALK) % 2;
    walk.value = along < 1 ? along : 2 - along;
    walkTo(Number(walk.value));
    requestAnimationFrame(walkOn);
  };
  play.addEventListener("click", () => {
    walks = !walks;
    play.setAttribute("aria-pressed", walks);
    play.textContent = walks ? "Stop" : "Walk";
    if (walks) requestAnimationFrame((now) => { from = now - WALK * Number(walk.value); walkOn(now); });
  });

  goTo(data.centre);
  showEnds();
  return {
    goTo,
    known,
    code: () => Float32Array.from(code),
    onCode: (hear) => codeListeners.push(hear),
    onTold: (hear) => toldListeners.push(hear),
    again: () => { redraw(); showEnds(); },
  };
}
