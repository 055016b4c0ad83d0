//+ optimisers/point
// RMSprop. a: running means of squares; constants: their decay, epsilon; scalars: learning rate.
fn descend(at: Point, g: vec4<f32>, c: vec3<f32>, s: vec3<f32>) -> Point {
    let v = c.x * at.a + (1.0 - c.x) * g * g;
    return Point(at.theta - s.x * g / (sqrt(v) + c.y), v, at.b);
}
