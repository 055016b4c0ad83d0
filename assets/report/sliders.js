// Sliders: a code is turned number by number, and what the decoder makes of it is shown.

/** Sliders over a decoder that runs here; gives what leads them to a code. */
function turnLive(data) {
  const decoder = new Decoder(data.program);
  let waits = false;
  const redraw = () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      show(data.look, decoder.decode(code, known));
    });
  };
  const { code, known, goTo } = turning(data, redraw, redraw);
  goTo(data.centre);

  /** To the code of a row, with what the model is told of it where that is its label. */
  const toRow = (to, label) => {
    data.told.forEach((told, i) => {
      const place = told.names ? told.names.indexOf(label) : -1;
      if (place < 0) return;
      find(`told${i}`).value = place;
      find(`told${i}`).dispatchEvent(new Event("input"));
    });
    goTo(to);
  };
  return { toRow, decode: (z, y) => Array.from(decoder.decode(z, y || known)) };
}

/** Sliders through what was decoded beforehand, one dimension at a time. */
function turnRecorded({ look, dimensions, recorded }) {
  const middle = Math.floor(recorded.steps / 2);
  const showStep = (line, step) => {
    const at = line * recorded.steps + step;
    if (look.kind === "pictures") {
      const { width, height } = look;
      find("decoded").getContext("2d").drawImage(find("recorded"), step * width, line * height, width, height, 0, 0, width, height);
    } else if (look.kind === "table") {
      tell(find("decoded"), look.fields, recorded.cells[at].map((text) => ({ text })));
    } else {
      draw(find("decoded"), recorded.values[at]);
    }
  };
  dimensions.forEach(({ number, steps }, line) => {
    const slider = sliderOf(number);
    if (line >= recorded.dimensions) {
      slider.disabled = true;
      outputOf(slider).textContent = "not recorded";
      return;
    }
    const say = () => { outputOf(slider).textContent = steps[Number(slider.value)].toFixed(2); };
    slider.addEventListener("input", () => {
      dimensions.slice(0, recorded.dimensions).filter((other) => other.number !== number).forEach((other) => {
        sliderOf(other.number).value = middle;
        outputOf(sliderOf(other.number)).textContent = other.steps[middle].toFixed(2);
      });
      say();
      showStep(line, Number(slider.value));
    });
    slider.value = middle;
    say();
  });
  const begin = () => showStep(0, middle);
  const sheet = find("recorded");
  if (sheet && !sheet.complete) sheet.addEventListener("load", begin);
  else begin();
}
