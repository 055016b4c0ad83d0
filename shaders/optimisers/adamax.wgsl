//+ optimisers/point
// Adamax. a: first moments, b: decayed largest magnitudes; constants: beta1, beta2, epsilon; scalars: step size.
fn descend(at: Point, g: vec4<f32>, c: vec3<f32>, s: vec3<f32>) -> Point {
    let m = c.x * at.a + (1.0 - c.x) * g;
    let u = max(c.y * at.b, abs(g));
    return Point(at.theta - s.x * m / (u + c.z), m, u);
}
