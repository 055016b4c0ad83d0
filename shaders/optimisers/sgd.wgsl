//+ optimisers/point
// Gradient descent with momentum. a: the velocity; constants: momentum; scalars: learning rate.
fn descend(at: Point, g: vec4<f32>, c: vec3<f32>, s: vec3<f32>) -> Point {
    let velocity = c.x * at.a + g;
    return Point(at.theta - s.x * velocity, velocity, at.b);
}
