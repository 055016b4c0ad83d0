//! Capacity annealing (Burgess et al. 2018, equation 8): γ |E_batch\[KL\] − C|.

use super::hand::{Hand, WARM_UP, other, same};

const GAMMA: f64 = 12.5;

/// The loss where C is so many nats.
fn at(capacity: f64) -> f64 {
    Hand::new(1).with("capacity", capacity).loss("capacity:gamma=12.5,nats=25,epochs=20")
}

#[test]
fn the_kl_is_drawn_to_c_from_above_and_from_below() {
    let hand = Hand::new(1);
    let (reconstruction, kl) = (hand.reconstruction(), hand.kl());
    for capacity in [kl - 0.75, kl + 0.75] {
        let found = at(capacity);
        same(found, reconstruction + GAMMA * 0.75);
        // |KL − C| row by row, squared, without a sign taken off, and weighted by the warm-up, which has no part in it.
        other(found, reconstruction + GAMMA * hand.mean(|row| (row.whole_kl() - capacity).abs()));
        other(found, reconstruction + GAMMA * 0.75 * 0.75);
        other(found, reconstruction + GAMMA * WARM_UP * 0.75);
        if capacity > kl {
            other(found, reconstruction + GAMMA * (kl - capacity));
        }
    }
    same(at(0.0), reconstruction + GAMMA * kl);
}
