// The model: rows through its programs, as many at a time as these take.

class Model {
  constructor(runner, { rows, features, latent }) {
    Object.assign(this, { runner, rows, features, latent });
    this.programs = new Map(runner.bundle.programs.map(({ name }, index) => [name, index]));
  }

  has(name) {
    return this.programs.has(name);
  }

  /** A step of so many live rows; what is drawn hangs on the seed. */
  step(program, live, seed = 0) {
    const step = new Uint32Array(STEP_WORDS);
    step[0] = seed;
    step[4] = live;
    new Float32Array(step.buffer).set(program.defaults, 8);
    return step;
  }

  /** What a program makes of rows: `inputs` are [name, values of all rows], `width` the values that come out for each. */
  through(name, count, inputs, width, seed = 0) {
    const index = this.programs.get(name);
    const program = this.runner.bundle.programs[index];
    return this.runner.after(async () => {
      await this.runner.prepare(index);
      const out = new Float32Array(count * width);
      for (let start = 0; start < count; start += this.rows) {
        const live = Math.min(this.rows, count - start);
        inputs.forEach(([input, values]) => {
          const place = program.inputs.find((one) => one.name === input);
          if (!place || values.length === 0) return;
          const each = values.length / count;
          const all = new Float32Array(this.rows * each);
          all.set(values.subarray(start * each, (start + live) * each));
          this.runner.write(place, all);
        });
        await this.runner.run([{ program: index, step: this.step(program, live, seed + start) }]);
        const found = await this.runner.read(program.outputs.find((one) => one.name === name));
        out.set(found.subarray(0, live * width), start * width);
      }
      return out;
    });
  }

  /** What was observed of rows, and the rows with 0 in place of gaps. */
  static observed(x) {
    return [x.map((value) => (Number.isNaN(value) ? 0 : value)), x.map((value) => (Number.isNaN(value) ? 0 : 1))];
  }

  /** The rows of codes, each told what stands in `known`. */
  decode(codes, known) {
    const count = codes.length / this.latent;
    return this.through("decode", count, [["decode", codes], ["decode.known", repeated(known, count)]], this.features);
  }

  ofRow(name, x, known, width) {
    const [values, seen] = Model.observed(x);
    return this.through(name, 1, [[name, values], [`${name}.known`, known], [`${name}.observed`, seen]], width);
  }

  /** The mean of the code of a row. */
  encode(x, known) {
    return this.ofRow("encode", x, known, this.latent);
  }

  /** What the decoder makes of that. */
  reconstruct(x, known) {
    return this.ofRow("reconstruct", x, known, this.features);
  }

  /** New rows, each told its part of `known`. */
  sample(count, known, seed) {
    return this.through("sample", count, [["sample.known", known]], this.features, seed);
  }
}

/** A row so many times. */
function repeated(row, count) {
  const all = new Float32Array(row.length * count);
  for (let i = 0; i < count; i++) all.set(row, i * row.length);
  return all;
}

/** Runs work again when it was asked for while it ran, once, with the newest wish: what moves quickly is followed as fast as it goes. */
function latest(work) {
  let [runs, wanted] = [false, false];
  const go = async () => {
    if (runs) {
      wanted = true;
      return;
    }
    runs = true;
    try {
      do {
        wanted = false;
        await work();
      } while (wanted);
    } catch (error) {
      report(error);
    } finally {
      runs = false;
    }
  };
  return go;
}

/** Says that something failed. */
function report(error) {
  const said = find("engine");
  said.textContent = `The model stopped: ${error.message}.`;
  said.classList.add("wrong");
}
