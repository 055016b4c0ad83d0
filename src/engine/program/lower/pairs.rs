//! Small products that do not need each other share a launch, two by two: most often the gradients of a layer's inputs and
//! of its weights, which read the same gradient of its outputs.

use std::sync::Arc;

use super::emit::Draft;
use super::memory::Object;
use crate::kernels::{Access, Matmul, Pair};

/// Joins products, each with the next one behind it that it can run beside.
pub(super) fn pair(drafts: &mut Vec<Draft>, objects: &mut Vec<Object>) {
    let mut bound: Vec<Bound> = drafts.iter().map(bound_by).collect();
    let mut first = 0;
    while first < drafts.len() {
        if let Some((second, at, joined)) = partner(drafts, &bound, objects, first) {
            bound[at] = bound_by(&joined);
            drafts[at] = joined;
            let gone = if at == first { second } else { first };
            drafts.remove(gone);
            bound.remove(gone);
            // What stood behind the first has moved up, if it is the first that moved.
            first += usize::from(at == first);
        } else {
            first += 1;
        }
    }
}

/// The next draft that may share a launch with one, the place of that launch (that of either), and the call.
fn partner(
    drafts: &[Draft],
    bound: &[Bound],
    objects: &mut Vec<Object>,
    first: usize,
) -> Option<(usize, usize, Draft)> {
    let a = &drafts[first];
    let product = a.product.as_ref().filter(|product| Pair::takes(product))?;
    // The first draft behind `a` that it cannot move beyond.
    let of = |i: usize, j: usize| needs_order(&bound[i], &bound[j], objects);
    let end = (first + 1..drafts.len()).find(|&j| of(first, j)).unwrap_or(drafts.len());
    (first + 1..drafts.len()).find_map(|second| {
        let b = &drafts[second];
        let other = b.product.as_ref().filter(|product| Pair::takes(product))?;
        // What keeps a draft in its place is near it most of the time: it looks around itself first.
        let b_moves = || (first + 1..second).rev().all(|j| !needs_order(&bound[second], &bound[j], objects));
        let at = if second <= end { second } else { b_moves().then_some(first)? };
        if needs_order(&bound[first], &bound[second], objects)
            || binds_both_ways(&bound[first], &bound[second], objects)
        {
            return None;
        }
        let known = objects.len();
        let ((product, mut bound), (other, others)) =
            (with_sums_beside(product, &a.objects, objects), with_sums_beside(other, &b.objects, objects));
        let Some(pair) = Pair::new(product, other, |i, j| bound[i] == others[j]) else {
            objects.truncate(known);
            return None;
        };
        bound.extend(pair.own_to_second().map(|j| others[j]));
        let label = format!("{}; {}", a.label, b.label);
        Some((second, at, Draft { kernel: Arc::new(pair), objects: bound, label, product: None }))
    })
}

/// A product that writes its row sums behind its result, as the gradients of a bias and its weights lie, with one binding
/// for both; other products as they are.
fn with_sums_beside(product: &Matmul, bound: &[usize], objects: &mut Vec<Object>) -> (Matmul, Vec<usize>) {
    let (mut product, mut bound) = (product.clone(), bound.to_vec());
    let (store, last) = (product.stores[0].binding, bound.len() - 1);
    if let Some(sums) = product.row_sums.as_mut().filter(|sums| sums.binding == last)
        && let (Some((buffer, start)), Some((other, begin))) = (objects[bound[store]].fixed, objects[bound[last]].fixed)
        && buffer == other
        && begin == start + objects[bound[store]].words.next_multiple_of(64)
    {
        let words = begin - start + objects[bound[last]].words;
        (sums.binding, sums.view.offset) = (store, sums.view.offset + begin - start);
        objects.push(Object { fixed: Some((buffer, start)), words });
        bound[store] = objects.len() - 1;
        bound.pop();
        product.access.pop();
    }
    (product, bound)
}

/// The objects that a draft binds, and what is done with them.
type Bound = Vec<(usize, Access)>;

fn bound_by(draft: &Draft) -> Bound {
    draft.objects.iter().copied().zip(draft.kernel.bindings()).collect()
}

/// Whether one draft writes what the other touches.
fn needs_order(a: &Bound, b: &Bound, objects: &[Object]) -> bool {
    let touch = |i: usize, j: usize| i == j || overlap(&objects[i], &objects[j]);
    let orders = |&(i, x): &(usize, Access), &(j, y): &(usize, Access)| {
        (x == Access::Write || y == Access::Write) && touch(i, j)
    };
    a.iter().any(|one| b.iter().any(|other| orders(one, other)))
}

/// Whether one buffer would be read and written by one call.
fn binds_both_ways(a: &Bound, b: &Bound, objects: &[Object]) -> bool {
    let buffer = |i: usize| objects[i].fixed.map(|fixed| fixed.0);
    let both =
        |&(i, x): &(usize, Access), &(j, y): &(usize, Access)| x != y && buffer(i).is_some() && buffer(i) == buffer(j);
    a.iter().any(|one| b.iter().any(|other| both(one, other)))
}

/// Whether two objects whose places are settled share words.
fn overlap(a: &Object, b: &Object) -> bool {
    match (a.fixed, b.fixed) {
        (Some((buffer, start)), Some((other, begin))) => {
            buffer == other && start < begin + b.words && begin < start + a.words
        }
        _ => false,
    }
}
