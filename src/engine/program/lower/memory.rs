//! The memory plan: objects that are never alive together share a buffer.

/// A range of memory that calls bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// Where it lies, if that is settled: a buffer of the program and the first word.
    pub fixed: Option<(usize, usize)>,
    /// How many words.
    pub words: usize,
}

/// Gives every object that has no place a scratch buffer.
///
/// `uses[i]` lists the calls, in order, that touch object i. Gives each object's scratch buffer (or none, where it is
/// fixed or unused) and the buffers' sizes. Greedy in order of first use: the smallest free buffer that is large enough,
/// else the largest free one, which grows.
pub(super) fn plan(objects: &[Object], uses: &[Vec<usize>]) -> (Vec<Option<usize>>, Vec<usize>) {
    let mut order: Vec<usize> =
        (0..objects.len()).filter(|&o| objects[o].fixed.is_none() && !uses[o].is_empty()).collect();
    order.sort_by_key(|&o| uses[o][0]);
    let mut place = vec![None; objects.len()];
    let (mut sizes, mut free_after): (Vec<usize>, Vec<usize>) = (vec![], vec![]);
    for o in order {
        let (first, last) = (uses[o][0], *uses[o].last().expect("a used object has a last use"));
        let words = objects[o].words;
        let free = (0..sizes.len()).filter(|&b| free_after[b] < first);
        let best = free.min_by_key(|&b| if sizes[b] >= words { (0, sizes[b]) } else { (1, usize::MAX - sizes[b]) });
        let buffer = best.unwrap_or_else(|| {
            sizes.push(0);
            free_after.push(0);
            sizes.len() - 1
        });
        sizes[buffer] = sizes[buffer].max(words);
        free_after[buffer] = last;
        place[o] = Some(buffer);
    }
    (place, sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(words: usize) -> Object {
        Object { fixed: None, words }
    }

    #[test]
    fn objects_share_only_when_never_alive_together() {
        let objects = [scratch(10), scratch(20), scratch(5), scratch(8)];
        let uses = [vec![0, 1], vec![1, 2], vec![2, 3], vec![3]];
        let (place, sizes) = plan(&objects, &uses);
        assert_ne!(place[0], place[1]);
        assert_ne!(place[1], place[2]);
        assert_eq!(place[0], place[2]);
        assert_eq!(place[3], place[1]);
        assert_eq!(sizes, [10, 20]);
    }

    #[test]
    fn fixed_and_unused_objects_take_no_scratch() {
        let objects = [Object { fixed: Some((0, 64)), words: 3 }, scratch(4)];
        assert_eq!(plan(&objects, &[vec![0], vec![]]), (vec![None, None], vec![]));
    }
}
