// What a kernel sees of a picture, in numbers: rows in `x`, columns in `y`. A host puts those of its own in place of this file.
const IMAGE = vec2<u32>(8u, 8u); // pixels
const KERNEL = vec2<u32>(4u, 4u); // taps
const STRIDE = vec2<u32>(2u, 2u);
const DILATION = vec2<u32>(1u, 1u);
const BEFORE = vec2<u32>(1u, 1u); // padding
const PLACES = vec2<u32>(4u, 4u); // of the kernel
const CHANNELS = 1u;
const POINTS = 64u; // threads with something to do
const LAUNCHED = 64u; // threads along x of the launch
const GRID = vec2<u32>(4u, 4u); // pixels of a class
const TAPS = vec2<u32>(2u, 2u); // that see a class
const INPUTS = 1u; // channels of what is folded
