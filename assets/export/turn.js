// Codes that are turned: sliders, what is told with them, and the walk between two of them.

/** A number of the standard normal distribution (Box and Muller 1958). */
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

const sliderOf = (dimension) => find(`z${dimension}`);
const outputOf = (control) => control.parentElement.querySelector("output");
const WALK = 4000;

/** Turns codes; gives what leads to one, and what has to be drawn again where the weights have moved. */
function turnCodes(model, data, codes) {
  const code = Float32Array.from(data.centre);
  const known = Float32Array.from(data.known);
  const listeners = [];

  const redraw = latest(async () => {
    show(data.look, await model.decode(Float32Array.from(code), known));
  });
  const changed = () => {
    redraw();
    listeners.forEach((hear) => hear(code));
  };
  const say = (slider) => { outputOf(slider).textContent = Number(slider.value).toFixed(2); };
  const goTo = (to) => {
    code.set(to);
    data.dimensions.forEach(([number]) => {
      const slider = sliderOf(number);
      // A code may lie beyond what the slider reaches.
      slider.min = Math.min(Number(slider.min), to[number]);
      slider.max = Math.max(Number(slider.max), to[number]);
      slider.value = to[number];
      say(slider);
    });
    changed();
  };
  data.dimensions.forEach(([number]) => {
    const slider = sliderOf(number);
    slider.addEventListener("input", () => {
      code[number] = Number(slider.value);
      say(slider);
      changed();
    });
  });
  const toldListeners = [];
  data.told.forEach((told, i) => {
    const control = find(`told${i}`);
    const hear = () => {
      if (told.choices) {
        for (let k = 0; k < told.choices; k++) known[told.at + k] = k === Number(control.value) ? 1 : 0;
      } else {
        known[told.at] = Number(control.value);
        outputOf(control).textContent = told.field ? cellOf(told.field, [known[told.at]]).text : spoken(known[told.at]);
      }
      redraw();
      toldListeners.forEach((other) => other());
    };
    control.addEventListener("input", hear);
    hear();
  });
  find("to-mean").addEventListener("click", () => goTo(data.centre));
  if (find("to-drawn")) find("to-drawn").addEventListener("click", () => goTo(data.centre.map(normal)));
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
    onCode: (hear) => listeners.push(hear),
    onTold: (hear) => toldListeners.push(hear),
    again: () => { redraw(); showEnds(); },
  };
}
