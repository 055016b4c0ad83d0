// Begins: with WebGPU all that is live comes up, without it what was recorded stays, and is said to be that.

const data = JSON.parse(find("data").textContent);

/** The rows that the page carries: values, and what is known of each. */
function carriedRows() {
  if (!data.carried) return [];
  const [x, y] = [floatsOf(data.carried.x), floatsOf(data.carried.y)];
  const count = x.length / data.features;
  const part = (all, i) => all.subarray((i * all.length) / count, ((i + 1) * all.length) / count);
  return Array.from({ length: count }, (_, i) => ({ x: Float32Array.from(part(x, i)), y: Float32Array.from(part(y, i)) }));
}

async function start() {
  const bundle = JSON.parse(new TextDecoder().decode(await unpacked("programs")));
  const contents = new Map();
  const contentsOf = async (index) => {
    if (!contents.has(index)) contents.set(index, await unpacked(`contents-${index}`));
    return contents.get(index);
  };
  const runner = await Runner.open(bundle, contentsOf);
  const device = `${runner.name}${runner.kind === "software" ? " (software)" : ""}`;
  const tell = (compiling) => {
    find("engine").textContent = compiling > 0 ? `Compiling the model for ${device}…` : `Runs in this page by WebGPU, on ${device}.`;
  };
  const model = new Model(runner, data);
  const rows = carriedRows();
  const again = [];
  let turned = { known: Float32Array.from(data.known), goTo: () => {}, onTold: () => {} };
  if (find("turn")) {
    const codes = [];
    for (const { x, y } of rows) codes.push(await model.encode(x, y));
    turned = turnCodes(model, data, codes);
    again.push(turned.again, readMap(model, data, turned, codes));
  }
  again.push(rebuildRows(model, data, turned, rows), newRows(model, data));
  const run = bundle.runs.find(({ name }) => name === "train");
  const trainer = run && trainOn(model, run, () => again.forEach((draw) => draw()));
  find("recorded").hidden = true;
  find("live").hidden = false;
  find("live-nav").hidden = false;
  runner.onCompiling = tell;
  tell(runner.compiling);
  return { model, trainer };
}

find("engine").textContent = "Starting WebGPU…";
// For the console, and for who reads pages by programs: elbo.model.decode(codes, known), elbo.trainer.go(steps).
globalThis.elbo = start().catch((error) => {
  const said = find("engine");
  said.classList.add("wrong");
  said.textContent = `The model cannot run here: ${error.message}. What you see was recorded. Current versions of Chrome, Edge, Firefox and Safari have WebGPU.`;
  return null;
}).finally(() => { document.documentElement.dataset.ready = "yes"; });
