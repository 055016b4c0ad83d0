// Four parameters, and what an optimiser keeps of each: at most two numbers.
struct Point {
    theta: vec4<f32>,
    a: vec4<f32>,
    b: vec4<f32>,
}
