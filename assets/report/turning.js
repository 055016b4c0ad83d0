// Sliders over the numbers of a code, and the controls of what is told with it.

/** A number of the standard normal distribution (Box and Muller 1958). */
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

const sliderOf = (dimension) => find(`z${dimension}`);
const outputOf = (control) => control.parentElement.querySelector("output");

/** Has both turned, from the mean code on; gives the code, what is told, and what leads to a code. Calls a function where either has changed, not before it has returned. */
function turning({ centre, known: first, dimensions, told }, codeChanged, toldChanged) {
  const [code, known] = [centre, first].map((numbers) => Float32Array.from(numbers));
  const say = (slider) => { outputOf(slider).textContent = Number(slider.value).toFixed(2); };
  const goTo = (to) => {
    code.set(to);
    dimensions.forEach(({ number }) => {
      const slider = sliderOf(number);
      // A code may lie beyond what the slider reaches.
      slider.min = Math.min(Number(slider.min), to[number]);
      slider.max = Math.max(Number(slider.max), to[number]);
      slider.value = to[number];
      say(slider);
    });
    codeChanged();
  };
  dimensions.forEach(({ number }) => {
    const slider = sliderOf(number);
    slider.addEventListener("input", () => {
      code[number] = Number(slider.value);
      say(slider);
      codeChanged();
    });
  });
  told.forEach((one, i) => {
    const control = find(`told${i}`);
    const take = () => {
      if (one.choices) {
        for (let k = 0; k < one.choices; k++) known[one.at + k] = k === Number(control.value) ? 1 : 0;
      } else {
        known[one.at] = Number(control.value);
        outputOf(control).textContent = one.field ? cellOf(one.field, [known[one.at]]).text : spoken(known[one.at]);
      }
    };
    control.addEventListener("input", () => {
      take();
      toldChanged();
    });
    take();
  });
  find("to-mean").addEventListener("click", () => goTo(centre));
  if (find("to-drawn")) find("to-drawn").addEventListener("click", () => goTo(centre.map(normal)));
  return { code, known, goTo };
}
