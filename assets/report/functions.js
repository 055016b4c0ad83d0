// The scalar functions of a decoder, by the names that kernels have for them.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** erf by Abramowitz and Stegun 7.1.26, which is what kernels compute. */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - p * Math.exp(-x * x));
}

const FUNCTIONS = {
  neg: (a) => -a,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  square: (a) => a * a,
  recip: (a) => 1 / a,
  abs: Math.abs,
  floor: Math.floor,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  less: (a, b) => (a < b ? 1 : 0),
  select: (a, b, c) => (a !== 0 ? b : c),
  relu: (a) => Math.max(a, 0),
  leaky_relu: (a) => (a < 0 ? 0.01 * a : a),
  elu: (a) => (a > 0 ? a : Math.exp(a) - 1),
  silu: (a) => a * sigmoid(a),
  gelu: (a) => 0.5 * a * (1 + erf(a * Math.SQRT1_2)),
  tanh_clamped: Math.tanh,
  sigmoid,
  softplus: (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))),
  kl_standard_normal: (a, b) => 0.5 * (a * a + Math.exp(b) - 1 - b),
  // Near 0 the definition cancels; the series is exact there.
  tilted_mean: (a) =>
    Math.abs(a) < 0.02 ? 0.5 + a / 12 - a ** 3 / 720 : -1 / Math.expm1(-a) - 1 / a,
};
