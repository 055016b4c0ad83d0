//! `elbo kernels` and `elbo profile --wgsl`: the texts that devices are given.

use crate::program::Place;

/// What a page of WGSL declares, validated by the parser that the program itself uses.
fn entry_points(text: &str) -> usize {
    let module = naga::front::wgsl::parse_str(text).unwrap_or_else(|e| panic!("{}", e.emit_to_string(text)));
    module.entry_points.len()
}

#[test]
fn every_kernel_is_listed_and_can_be_shown() {
    let place = Place::new();
    let list = place.run("kernels");
    for row in elbo::engine::kernels::table::TABLE {
        assert!(list.lines().any(|line| line.starts_with(row.name) && line.ends_with(row.summary)), "{}", row.name);
        let text = place.run(&format!("kernels show {} --device cpu", row.name));
        assert!(text.starts_with(&format!("// {} ", row.name)), "{text}");
        assert_eq!(entry_points(&text), 1, "{}", row.name);
    }
}

#[test]
fn a_case_is_found_by_its_name() {
    let place = Place::new();
    let cases = place.run("kernels show likelihood --cases");
    let gaussian = cases.lines().find(|line| line.starts_with("Gaussian")).expect("there is such a case");
    let text = place.run("kernels show likelihood --case gaussian --device cpu");
    assert!(text.starts_with(&format!("// likelihood {gaussian}\n// for a GPU without subgroups, in ")), "{text}");
    assert_ne!(text, place.run("kernels show likelihood --device cpu"));
    let sizes = place.run("kernels show matmul --case 128x40x400 --device cpu");
    assert!(sizes.starts_with("// matmul 128×40×400 "), "{sizes}");
}

#[test]
fn calls_of_a_step_are_shown_by_number() {
    let place = Place::new();
    let first = place.run("profile --wgsl 1 --device cpu");
    assert!(first.starts_with("// call 1 of 14: batch "), "{first}");
    assert_eq!(entry_points(&first), 1);
    let last = place.run("profile --wgsl 14 --device cpu");
    assert!(last.starts_with("// call 14 of 14: statistics "), "{last}");
}

#[test]
fn what_is_not_there_is_refused_with_what_is() {
    let place = Place::new();
    place.refused("kernels show likelyhood", &["likelyhood", "likelihood", "matmul"]);
    place.refused("kernels show matmul --case 7777", &["7777", "--cases"]);
    place.refused("profile --wgsl 15 --device cpu", &["call 15", "14"]);
}
