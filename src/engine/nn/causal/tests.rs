//! What each place sees, by exact zeros of gradients; and that both ways to work a network out are one.

use super::*;
use crate::graph::eval::{Values, evaluate};
use crate::graph::{Graph, ParameterSpec};

const CHANNELS: usize = 3;

/// A network without the nonlinearity at its end, whose gradient is 0 wherever what it is given is below 0.
fn network(layers: usize, reach: usize) -> Causal {
    let mut network = Gated { channels: CHANNELS, layers, reach }.network();
    assert_eq!(network.layers.pop(), Some(Layer::Relu(network.layers.len() - 1)));
    network
}

/// Values for all parameters of a graph, and pictures of so many places.
fn values(graph: &Graph, places: usize) -> Values {
    let mut values = Values::default();
    for (place, spec) in graph.parameters().iter().enumerate() {
        let start = ParameterSpec { init: crate::graph::Init::Uniform(1.0), ..spec.clone() }.start(3, place);
        values.tensors.insert(spec.name.clone(), start.into_iter().map(f64::from).collect());
    }
    values.tensors.insert("x".into(), (0..places * CHANNELS).map(|i| ((i * 37) % 19) as f64 / 9.5 - 1.0).collect());
    values
}

/// Whether each place of a picture sees each place, by gradients that are not exactly 0.
fn seen(network: &Causal, image: [usize; 2]) -> Vec<Vec<bool>> {
    let (graph, places) = (Graph::new(), image[0] * image[1]);
    let x = graph.input("x", &[places, CHANNELS]);
    let y = network.whole(x, image);
    let slopes: Vec<Tensor> = (0..places).map(|p| y.slice(0, p, 1).gradients(&[x])[0]).collect();
    let values = values(&graph, places);
    let row = |slope: Vec<f64>| slope.chunks(CHANNELS).map(|c| c.iter().any(|s| *s != 0.0)).collect();
    evaluate(&values, &slopes).into_iter().map(row).collect()
}

#[test]
fn a_place_sees_those_before_it_and_no_other() {
    for (image, layers, reach) in [([4, 4], 5, 1), ([3, 5], 3, 2), ([1, 6], 5, 1), ([5, 1], 5, 1), ([1, 1], 2, 1)] {
        let network = network(layers, reach);
        for (place, row) in seen(&network, image).into_iter().enumerate() {
            // Without a blind spot, layers enough see all that comes before.
            let expected: Vec<bool> = (0..row.len()).map(|other| other < place).collect();
            assert_eq!(row, expected, "{image:?}, {layers} layers that reach {reach}: place {place}");
        }
    }
}

/// With one tap more, a place sees itself: the test above sees that a mask is missing.
#[test]
fn a_mask_that_lets_too_much_through_is_seen() {
    let network = network(2, 1);
    let convolutions = |network: &Causal| -> Vec<usize> {
        let layers = network.layers.iter().enumerate();
        let masked = |layer: &Layer| matches!(layer, Layer::Convolution(0, _));
        layers.filter(|(_, layer)| masked(layer)).map(|(number, _)| number).collect()
    };
    let masked = convolutions(&network);
    assert_eq!(masked.len(), 2, "the first layer of either stack");
    for number in masked {
        let mut leaking = network.clone();
        let Layer::Convolution(_, taps) = &mut leaking.layers[number] else { panic!("it is a convolution") };
        taps.kept = (taps.above + 1) * (taps.left + 1 + taps.right);
        let sees = seen(&leaking, [3, 3]);
        assert!(sees.iter().enumerate().any(|(place, row)| row[place..].contains(&true)), "{number}");
    }
}

#[test]
fn place_by_place_is_the_whole() {
    for (image, layers, reach) in [([3, 4], 3, 1), ([4, 3], 2, 2), ([1, 5], 2, 1), ([1, 1], 2, 1)] {
        let network = network(layers, reach);
        let (graph, places) = (Graph::new(), image[0] * image[1]);
        let x = graph.input("x", &[2 * places, CHANNELS]);
        let whole = network.whole(x, image);
        let mut each = Places::new(network, &graph, 2, (image, CHANNELS));
        let mut found = vec![];
        for p in 0..places {
            let place = [p / image[1], p % image[1]];
            found.push(each.value(place));
            // Only now is it known.
            each.tell(place, graph.concat(&[x.slice(0, p, 1), x.slice(0, places + p, 1)], 0));
        }
        let by_place = graph.concat(&found, 1).reshape(&[2 * places, CHANNELS]);
        let far = (by_place - whole).abs().max(&[0, 1]);
        let size = whole.abs().max(&[0, 1]);
        let [far, size] = <[_; 2]>::try_from(evaluate(&values(&graph, 2 * places), &[far, size])).unwrap();
        assert!(far[0] < 1e-12 && size[0] > 1e-3, "{image:?}: {far:?} of {size:?}");
    }
}

#[test]
#[should_panic(expected = "the place [0, 1] is seen before it is known")]
fn what_comes_later_cannot_be_asked_for() {
    let network = Gated { channels: CHANNELS, layers: 1, reach: 1 }.network();
    let graph = Graph::new();
    let mut places = Places::new(network, &graph, 1, ([1, 3], CHANNELS));
    places.tell([0, 0], graph.full(0.5, &[1, CHANNELS]));
    places.value([0, 2]);
}

/// A picture that is put aside behind each place, and taken up again with no more than what is kept, is the same.
#[test]
fn what_is_kept_of_a_picture_is_all_that_later_places_read() {
    for (image, layers, reach) in [([6, 4], 3, 1), ([6, 3], 2, 2), ([1, 5], 2, 1), ([2, 1], 1, 1)] {
        let network = network(layers, reach);
        let (graph, places, course) = (Graph::new(), image[0] * image[1], Course::new(&network, image));
        let x = graph.input("x", &[places, CHANNELS]);
        let whole = network.whole(x, image);
        let new = || Places::new(network.clone(), &graph, 1, (image, CHANNELS));
        let (mut each, mut found, mut counts) = (new(), vec![], vec![]);
        for p in 0..places {
            let place = [p / image[1], p % image[1]];
            found.push(each.value(place));
            let kept = course.kept(place);
            let known = each.known(&kept);
            each = new();
            if !known.is_empty() {
                let together = graph.concat(&known, 1);
                assert_eq!(each.take_up(&kept, together), together.width());
            }
            each.tell(place, x.slice(0, p, 1));
            counts.push(kept.len());
        }
        let far = (graph.concat(&found, 0) - whole).abs().max(&[0, 1]);
        let far = evaluate(&values(&graph, places), &[far]).remove(0);
        assert!(far[0] < 1e-12, "{image:?}: {far:?}");
        // Behind the last place nothing is, and what lies far above is not kept.
        assert_eq!(counts[places - 1], 0, "{image:?}");
        if image[0] == 6 {
            let row = |y: usize| &counts[y * image[1]..][..image[1]];
            assert!(row(2) == row(3) && row(2)[0] > 0, "{image:?}: {counts:?}");
        }
    }
}
