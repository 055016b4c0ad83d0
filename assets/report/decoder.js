// The decoder: a list of operations [name, places of what is given, shape of what comes out, more], done one by one.

const sizeOf = (shape) => shape.reduce((product, side) => product * side, 1);

/** Numbers from one element to the next along each axis. */
function stridesOf(shape) {
  const strides = new Array(shape.length).fill(1);
  for (let d = shape.length - 2; d >= 0; d--) strides[d] = strides[d + 1] * shape[d + 1];
  return strides;
}

/** Where each element of a shape lies, when a step along axis d leads `strides[d]` further. */
function placesOf(shape, strides, start = 0) {
  const places = new Int32Array(sizeOf(shape));
  const index = new Array(shape.length).fill(0);
  let place = start;
  for (let e = 0; e < places.length; e++) {
    places[e] = place;
    for (let d = shape.length - 1; d >= 0; d--) {
      place += strides[d];
      if (++index[d] < shape[d]) break;
      place -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return places;
}

/** Strides of a tensor whose axes of size 1 are stretched. */
const stretched = (shape) => stridesOf(shape).map((stride, d) => (shape[d] === 1 ? 0 : stride));

function gather(from, places) {
  const out = new Float32Array(places.length);
  for (let e = 0; e < out.length; e++) out[e] = from[places[e]];
  return out;
}

/** Calls `each` with every number of a patch and the number of the picture that stands there. */
function eachOfWindow({ image, channels, kernel, stride, before, dilation, places }, each) {
  const width = kernel[0] * kernel[1] * channels;
  for (let oy = 0; oy < places[0]; oy++) {
    for (let ox = 0; ox < places[1]; ox++) {
      for (let ky = 0; ky < kernel[0]; ky++) {
        const y = oy * stride[0] + ky * dilation[0] - before[0];
        if (y < 0 || y >= image[0]) continue;
        for (let kx = 0; kx < kernel[1]; kx++) {
          const x = ox * stride[1] + kx * dilation[1] - before[1];
          if (x < 0 || x >= image[1]) continue;
          const patch = (oy * places[1] + ox) * width + (ky * kernel[1] + kx) * channels;
          const pixel = (y * image[1] + x) * channels;
          for (let c = 0; c < channels; c++) each(patch + c, pixel + c);
        }
      }
    }
  }
}

/** Sizes of a picture and of its patches. */
const sizesOfWindow = (w) => [
  w.image[0] * w.image[1] * w.channels,
  w.places[0] * w.places[1] * w.kernel[0] * w.kernel[1] * w.channels,
];

function multiply(a, b, [rows, columns], [transposeA, transposeB, depth]) {
  const out = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < depth; k++) {
        sum += a[transposeA ? k * rows + i : i * depth + k] * b[transposeB ? j * depth + k : k * columns + j];
      }
      out[i * columns + j] = sum;
    }
  }
  return out;
}

/** What is left of axes that become 1, each pair of numbers being put together by `join`. */
function reduce(from, given, shape, start, join) {
  const places = placesOf(given, stretched(shape));
  const out = new Float64Array(sizeOf(shape)).fill(start);
  for (let e = 0; e < from.length; e++) out[places[e]] = join(out[places[e]], from[e]);
  return Float32Array.from(out);
}

const OPERATIONS = {
  const: (_, shape, value) => new Float32Array(sizeOf(shape)).fill(value),
  coordinate: (_, shape, axis) => {
    const stride = stridesOf(shape)[axis];
    return new Float32Array(sizeOf(shape)).map((_, e) => Math.floor(e / stride) % shape[axis]);
  },
  call: ([a, b, c], _, name) => {
    const of = FUNCTIONS[name];
    const out = new Float32Array(a.length);
    for (let e = 0; e < out.length; e++) out[e] = of(a[e], b && b[e], c && c[e]);
    return out;
  },
  matmul: ([a, b], shape, more) => multiply(a, b, shape, more),
  patches: ([from], shape, window) => {
    const [picture, patches] = sizesOfWindow(window);
    const out = new Float32Array(sizeOf(shape));
    for (let n = 0; n * patches < out.length; n++) {
      eachOfWindow(window, (to, at) => { out[n * patches + to] = from[n * picture + at]; });
    }
    return out;
  },
  fold: ([from], shape, window) => {
    const [picture, patches] = sizesOfWindow(window);
    const out = new Float32Array(sizeOf(shape));
    for (let n = 0; n * picture < out.length; n++) {
      eachOfWindow(window, (at, to) => { out[n * picture + to] += from[n * patches + at]; });
    }
    return out;
  },
  sum: ([from], shape, given) => reduce(from, given, shape, 0, (a, b) => a + b),
  max: ([from], shape, given) => reduce(from, given, shape, -Infinity, Math.max),
  expand: ([from], shape, given) => gather(from, placesOf(shape, stretched(given))),
  same: ([from]) => from,
  permute: ([from], shape, [given, order]) => {
    const strides = stridesOf(given);
    return gather(from, placesOf(shape, order.map((axis) => strides[axis])));
  },
  slice: ([from], shape, [given, axis, start]) => {
    const strides = stridesOf(given);
    return gather(from, placesOf(shape, strides, start * strides[axis]));
  },
  concat: (parts, shape, [axis, given]) => {
    const out = new Float32Array(sizeOf(shape));
    const strides = stridesOf(shape);
    let start = 0;
    parts.forEach((part, i) => {
      placesOf(given[i], strides, start * strides[axis]).forEach((to, e) => { out[to] = part[e]; });
      start += given[i][axis];
    });
    return out;
  },
};

/** E[x | z, y] for one code at a time. */
class Decoder {
  constructor({ nodes, weights, scales }) {
    this.nodes = nodes;
    const numbers = new DataView(bytesOf(weights).buffer);
    const rows = floatsOf(scales);
    let [at, row] = [0, 0];
    // What hangs on neither code nor condition is computed once.
    this.known = [];
    nodes.forEach(([name, inputs, shape, more], place) => {
      if (name === "param") {
        const width = shape.length > 0 ? shape[shape.length - 1] : 1;
        const values = new Float32Array(sizeOf(shape));
        for (let e = 0; e < values.length; e++) {
          if (e > 0 && e % width === 0) row++;
          values[e] = rows[row] * numbers.getInt16(2 * at++, true);
        }
        row++;
        this.known[place] = values;
      } else if (name !== "input" && inputs.every((input) => this.known[input])) {
        this.known[place] = OPERATIONS[name](inputs.map((input) => this.known[input]), shape, more);
      }
    });
  }

  /** The row of a code z and a condition y. */
  decode(z, y) {
    const values = this.known.slice();
    this.nodes.forEach(([name, inputs, shape, more], place) => {
      if (values[place]) return;
      values[place] = name === "input"
        ? Float32Array.from(more === "z" ? z : y)
        : OPERATIONS[name](inputs.map((input) => values[input]), shape, more);
    });
    return values[this.nodes.length - 1];
  }
}
