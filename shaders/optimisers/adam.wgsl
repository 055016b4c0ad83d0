//+ optimisers/point
// Adam. a: first moments, b: second moments; constants: beta1, beta2, epsilon; scalars: step size, correction.
fn descend(at: Point, g: vec4<f32>, c: vec3<f32>, s: vec3<f32>) -> Point {
    let m = c.x * at.a + (1.0 - c.x) * g;
    let v = c.y * at.b + (1.0 - c.y) * g * g;
    return Point(at.theta - s.x * m / (sqrt(v) * s.y + c.z), m, v);
}
