// Which tile of C a workgroup makes. Tiles are numbered along the rows of C; where there are more of them than one dimension of
// a launch takes, their numbers go on in the second.
fn tile_at(workgroup: vec3<u32>, tiles: vec2<u32>) -> vec2<u32> {
    let count = tiles.x * tiles.y;
    let lines = (count + 65534u) / 65535u;
    let number = workgroup.x + workgroup.y * ((count + lines - 1u) / lines);
    return vec2<u32>(number % tiles.x, number / tiles.x);
}
