//+ optimisers/point
// AdamW: as Adam, from weights that decay first. scalars: step size, correction, decay of the step.
fn descend(at: Point, g: vec4<f32>, c: vec3<f32>, s: vec3<f32>) -> Point {
    let m = c.x * at.a + (1.0 - c.x) * g;
    let v = c.y * at.b + (1.0 - c.y) * g * g;
    return Point(at.theta - s.z * at.theta - s.x * m / (sqrt(v) * s.y + c.z), m, v);
}
