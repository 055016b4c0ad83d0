//! Settings of a Gaussian over the weights.

use super::*;

#[test]
fn a_gaussian_over_weights_takes_several_epochs_and_no_other_rule() {
    let swag = |c: &mut Config| (c.training.epochs, c.training.swag) = (8, 20);
    let refused = |change: fn(&mut Config), expected: &str| {
        invalid(
            |c| {
                swag(c);
                change(c);
            },
            expected,
        );
    };
    let mut fine = Config::default();
    swag(&mut fine);
    fine.validate().unwrap();
    assert_eq!(fine.training.epochs_before_swag(), 6);
    (fine.training.epochs, fine.training.swag_start) = (100, 0.57);
    assert_eq!(fine.training.epochs_before_swag(), 57);
    refused(|c| c.training.swag = 1, "divided by K - 1");
    refused(|c| c.training.epochs = 4, "takes the weights behind the last 1 of 4 epochs");
    refused(|c| c.training.swag_start = 0.9, "takes the weights behind the last 1 of 8 epochs");
    refused(|c| c.training.average = 0.9, "`average` has a running mean");
    refused(|c| c.training.patience = Some(3), "`patience` keeps the weights of one epoch");
    refused(|c| c.training.members = 2, "`members` trains several models");
    refused(|c| c.model.network_weights = "bayes-by-backprop".into(), "`network-weights` bayes-by-backprop another");
}
