//! What stands for what: operators of Rust and of WGSL, and the methods of Rust.

/// Operators, and what they become.
pub const OPERATORS: &[(&str, &str)] = &[
    ("+", "-"),
    ("-", "+"),
    ("*", "/"),
    ("/", "*"),
    ("%", "/"),
    ("<", "<="),
    ("<", ">"),
    ("<=", "<"),
    ("<=", ">"),
    (">", ">="),
    (">", "<"),
    (">=", ">"),
    (">=", "<"),
    ("==", "!="),
    ("!=", "=="),
    ("&&", "||"),
    ("||", "&&"),
    ("&", "|"),
    ("|", "&"),
    ("^", "|"),
    ("<<", ">>"),
    (">>", "<<"),
    ("+=", "-="),
    ("-=", "+="),
    ("*=", "/="),
    ("/=", "*="),
    ("^=", "|="),
];

/// Methods that take another name, with how many arguments they have.
pub const METHODS: &[(&str, usize, &str)] = &[
    // Of tensors.
    ("sum", 1, "max"),
    ("max", 1, "sum"),
    ("mean", 1, "sum"),
    ("maximum", 1, "minimum"),
    ("minimum", 1, "maximum"),
    ("sigmoid", 0, "tanh"),
    ("tanh", 0, "sigmoid"),
    ("softplus", 0, "abs"),
    ("square", 0, "abs"),
    // Of numbers.
    ("min", 1, "max"),
    ("max", 1, "min"),
    ("exp", 0, "ln"),
    ("ln", 0, "exp"),
    ("exp_m1", 0, "exp"),
    ("ln_1p", 0, "ln"),
    ("sin", 0, "cos"),
    ("cos", 0, "sin"),
    ("floor", 0, "ceil"),
    ("ceil", 0, "floor"),
    ("wrapping_add", 1, "wrapping_sub"),
    ("is_nan", 0, "is_infinite"),
    // Of iterators.
    ("any", 1, "all"),
    ("all", 1, "any"),
    ("min", 0, "max"),
    ("max", 0, "min"),
    ("is_some", 0, "is_none"),
    ("is_none", 0, "is_some"),
    ("first", 0, "last"),
    ("last", 0, "first"),
];

/// Methods that are left out: `a.detach()` becomes `a`.
pub const DROPPED: &[(&str, usize)] = &[
    ("detach", 0),
    ("sum_rows", 0),
    ("t", 0),
    ("sqrt", 0),
    ("abs", 0),
    ("recip", 0),
    ("tanh", 0),
    ("rev", 0),
    ("skip", 1),
    ("powi", 1),
    ("clamp", 2),
    ("max", 1),
    ("min", 1),
    ("next_multiple_of", 1),
];

/// Methods whose two arguments may change places.
pub const SWAPPED: &[&str] = &["select"];

/// Functions that take another name.
pub const FUNCTIONS: &[(&str, &str)] = &[
    ("math::exp", "math::log"),
    ("math::log", "math::exp"),
    ("math::tanh", "math::sigmoid"),
    ("math::sigmoid", "math::tanh"),
    ("f32::sqrt", "f32::abs"),
    ("f32::abs", "f32::from"),
    ("f32::floor", "f32::ceil"),
    ("f64::max", "f64::min"),
    ("f64::min", "f64::max"),
    ("f32::max", "f32::min"),
    ("f32::min", "f32::max"),
];

/// Scalar functions of the graph, each with another of as many arguments.
pub const FUNCS: &[(&str, &str)] = &[
    ("Exp", "Log"),
    ("Log", "Exp"),
    ("Sqrt", "Square"),
    ("Square", "Abs"),
    ("Recip", "Neg"),
    ("Neg", "Abs"),
    ("Abs", "Neg"),
    ("Floor", "Abs"),
    ("Add", "Sub"),
    ("Sub", "Add"),
    ("Mul", "Div"),
    ("Div", "Mul"),
    ("Max", "Min"),
    ("Min", "Max"),
    ("Less", "Sub"),
    ("Relu", "Abs"),
    ("Tanh", "Sigmoid"),
    ("Sigmoid", "Tanh"),
    ("Softplus", "Relu"),
    ("KlStandardNormal", "GaussianLogProb"),
    ("UniformCumulant", "TiltedMean"),
    ("TiltedMean", "UniformCumulant"),
];

/// Scalar functions of the graph of which two arguments may change places.
pub const FUNCS_SWAPPED: &[(&str, usize, usize)] = &[("Less", 0, 1), ("Select", 1, 2), ("Sub", 0, 1), ("Div", 0, 1)];

/// Macros that say something to people, stop, or are no code.
pub const QUIET_MACROS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "panic",
    "unreachable",
    "todo",
    "unimplemented",
    "print",
    "println",
    "eprint",
    "eprintln",
    "matches",
    "thread_local",
    "macro_rules",
    "include_str",
    "env",
    "concat",
];

/// Macros that put text together.
pub const TEXT_MACROS: &[&str] = &["format", "write", "writeln"];

/// Methods whose arguments are for people.
pub const QUIET_METHODS: &[&str] = &["expect", "map_err", "ok_or", "ok_or_else", "debug_struct"];
