// Begins: every part that has data is brought to life.

const data = JSON.parse(find("data").textContent);
let turned = null;
if (data.sliders && data.sliders.program) turned = turnLive(data.sliders);
else if (data.sliders) turnRecorded(data.sliders);
if (data.curves) readCurves(data.curves);
const toAnyRow = data.map ? readMap(data.map, turned && turned.toRow) : null;
const button = find("to-row");
if (button && toAnyRow) button.addEventListener("click", toAnyRow);
else if (button) button.remove();
// For the console, and for who reads pages by programs: elbo.decode(z, y) gives the values of a row.
globalThis.elbo = turned ? { decode: turned.decode } : {};
document.documentElement.dataset.ready = "yes";
