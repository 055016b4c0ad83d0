// Training that goes on: recorded steps, done here, with their losses as a curve.

/** Steps over which the drawn mean goes. */
const SMOOTH = 20;
/** Milliseconds that a submit is to take, and those between two times that the rest of the page follows. */
const SUBMIT = 60;
const FOLLOW = 700;

class Trainer {
  constructor(model, run) {
    Object.assign(this, { model, run, done: 0, losses: [] });
    this.first = model.runner.bundle.programs.findIndex(({ name }) => name === model.runner.bundle.programs[run.launches[0]].name);
    const bytes = bytesOf(run.steps);
    this.steps = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    // Launches of the first program are the steps; those of others belong to the one before.
    this.count = run.launches.filter((program) => program === this.first).length;
    this.at = 0;
    this.length = 1;
  }

  /** Puts everything back to where the run stopped. */
  restore() {
    return this.model.runner.after(async () => {
      await this.model.runner.restore(this.run);
      Object.assign(this, { done: 0, at: 0, losses: [] });
    });
  }

  /** Does at most so many steps; gives the statistics of each. */
  go(most) {
    return this.model.runner.after(async () => {
      const launches = [];
      let steps = 0;
      while (this.at < this.run.launches.length && launches.length < SLOTS) {
        const program = this.run.launches[this.at];
        if (program === this.first && steps === most) break;
        steps += program === this.first ? 1 : 0;
        launches.push({ program, step: this.steps.subarray(STEP_WORDS * this.at, STEP_WORDS * (this.at + 1)) });
        this.at++;
      }
      const found = await this.model.runner.run(launches);
      const own = found.filter((_, i) => launches[i].program === this.first);
      own.forEach((statistics) => this.losses.push(statistics[0]));
      this.done += own.length;
      return own;
    });
  }
}

function trainOn(model, run, again) {
  const trainer = new Trainer(model, run);
  const [go, back] = [find("train-go"), find("train-back")];
  if (!go) return trainer;
  let [runs, fresh] = [false, true];

  const label = () => {
    go.setAttribute("aria-pressed", runs);
    go.textContent = runs ? "Pause" : "Train";
    go.disabled = trainer.done >= trainer.count;
    back.disabled = trainer.done === 0 && fresh;
    find("train-step").textContent = `${trainer.done} of ${trainer.count}`;
    const last = trainer.losses.slice(-SMOOTH);
    find("train-loss").textContent = last.length > 0 ? spoken(last.reduce((a, b) => a + b, 0) / last.length) : "–";
    drawLosses(trainer.losses, trainer.count);
  };
  const loop = async () => {
    let followed = performance.now();
    const [began, first] = [followed, trainer.done];
    while (runs && trainer.done < trainer.count) {
      const before = performance.now();
      const steps = await trainer.go(trainer.length);
      if (steps.some((statistics) => !Number.isFinite(statistics[0]))) {
        runs = false;
        find("train-said").textContent = "The loss is no finite number any more: training stopped.";
      }
      const now = performance.now();
      // As many steps a submit as fit its time.
      trainer.length = Math.min(Math.max(Math.round((trainer.length * SUBMIT) / Math.max(now - before, 1)), 1), Math.min(2 * trainer.length, SLOTS));
      find("train-speed").textContent = spoken((1000 * (trainer.done - first)) / Math.max(now - began, 1));
      label();
      if (now - followed > FOLLOW) {
        again();
        followed = performance.now();
      }
      await new Promise((wake) => requestAnimationFrame(wake));
    }
    again();
    const mean = find("train-loss").textContent;
    if (trainer.done >= trainer.count) find("train-said").textContent = `All ${trainer.count} steps that this page has are done. Mean loss: ${mean}.`;
    else if (trainer.losses.every(Number.isFinite)) find("train-said").textContent = `Paused at step ${trainer.done}. Mean loss: ${mean}.`;
    runs = false;
    label();
  };
  const failed = (error) => { runs = false; report(error); label(); };
  go.addEventListener("click", () => {
    runs = !runs;
    label();
    if (!runs) return;
    find("train-said").textContent = "Training.";
    // The model may be shown with weights of an earlier epoch than the last.
    const ready = fresh ? trainer.restore() : Promise.resolve();
    fresh = false;
    ready.then(loop).catch(failed);
  });
  back.addEventListener("click", () => {
    runs = false;
    trainer.restore().then(() => model.runner.after(() => model.runner.fill())).then(() => {
      fresh = true;
      find("train-said").textContent = "All is as the run left it.";
      find("train-speed").textContent = "–";
      label();
      again();
    }).catch(failed);
  });
  new ResizeObserver(() => drawLosses(trainer.losses, trainer.count)).observe(find("loss"));
  label();
  return trainer;
}

/** Round numbers between two, about so many. */
function ticksOf(low, high, about) {
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: Math.max(count, 0) }, (_, i) => [(first + i) * step, ((first + i) * step).toFixed(digits)]);
}

/** Draws losses, and their running mean, over all steps. */
function drawLosses(losses, count) {
  const stage = find("loss");
  // A unit of the drawing is a pixel, so that its letters are as large on a phone.
  const width = Math.max(stage.clientWidth, 240);
  stage.setAttribute("viewBox", `0 0 ${width} 240`);
  const [left, right, top, bottom] = [58, width - 8, 12, 206];
  const finite = losses.filter(Number.isFinite).sort((a, b) => a - b);
  const share = (at) => finite[Math.min(Math.floor(at * finite.length), finite.length - 1)];
  let [low, high] = finite.length > 0 ? [share(0.01), share(0.99)] : [0, 1];
  if (!(high > low)) [low, high] = [low - 0.5, low + 0.5];
  const room = 0.08 * (high - low);
  [low, high] = [low - room, high + room];
  // At first the whole width would hold next to nothing.
  const across = Math.min(Math.max(2 * losses.length, 50), count);
  const x = (step) => left + ((right - left) * step) / Math.max(across - 1, 1);
  const y = (loss) => bottom - ((bottom - top) * (Math.min(Math.max(loss, low), high) - low)) / (high - low);
  const every = Math.max(1, Math.floor(losses.length / 700));
  const points = (values) => values.map((loss, i) => [i, loss]).filter(([i]) => i % every === 0 || i === values.length - 1)
    .map(([i, loss]) => `${x(i).toFixed(1)},${y(loss).toFixed(1)}`).join(" ");
  let sum = 0;
  const means = losses.map((loss, i) => {
    sum += loss - (i >= SMOOTH ? losses[i - SMOOTH] : 0);
    return sum / Math.min(i + 1, SMOOTH);
  });
  find("loss-steps").setAttribute("points", points(losses));
  find("loss-mean").setAttribute("points", points(means));
  const svg = (name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const lines = finite.length > 0 ? ticksOf(low, high, 4) : [];
  find("loss-grid").replaceChildren(...lines.map(([value]) => svg("line", { x1: left, x2: right, y1: y(value), y2: y(value) })),
    svg("line", { x1: left, x2: right, y1: bottom, y2: bottom }));
  find("loss-ticks").replaceChildren(
    ...lines.map(([value, text]) => svg("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, text)),
    svg("text", { x: left, y: bottom + 22 }, "step 1"),
    svg("text", { x: right, y: bottom + 22, "text-anchor": "end" }, `step ${across}`),
  );
}
