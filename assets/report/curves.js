// Curves: the values of an epoch, read by pointing or by arrow keys.

function readCurves(all) {
  document.querySelectorAll("[data-chart]").forEach((stage) => {
    const chart = all[Number(stage.dataset.chart)];
    const [svg, cursor, readout] = [".cursor", ".readout"].reduce((found, name) => [...found, stage.querySelector(name)], [stage.querySelector("svg")]);
    const epochs = chart.series[0].points.map(([epoch]) => epoch);
    let at = epochs.length - 1;

    const place = (epoch) => chart.left + ((epoch - chart.from) / (chart.to - chart.from)) * (chart.right - chart.left);
    const read = (index) => {
      at = Math.min(Math.max(index, 0), epochs.length - 1);
      const epoch = epochs[at];
      cursor.setAttribute("x1", place(epoch));
      cursor.setAttribute("x2", place(epoch));
      cursor.setAttribute("visibility", "visible");
      const values = chart.series.map(({ name, points }) => {
        const found = points.find(([other]) => other === epoch);
        return found && `${name} ${spoken(found[1])}`;
      });
      readout.textContent = `Epoch ${epoch}: ${values.filter(Boolean).join(", ")}`;
    };
    const nearest = (x) => epochs.reduce((best, epoch, i) => (Math.abs(place(epoch) - x) < Math.abs(place(epochs[best]) - x) ? i : best), 0);

    stage.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      read(nearest(((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width));
    });
    stage.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: epochs.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      read(to);
    });
    read(at);
    cursor.setAttribute("visibility", "hidden");
  });
}
