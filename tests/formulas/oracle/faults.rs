//! Ways in which a run can go wrong: what the comparison must see.

/// One thing that the oracle does otherwise than the engine should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// All parameters start from the same stream.
    StartsFromOneStream,
    /// Biases start at 0.
    BiasesStartAtZero,
    /// The weight of the KL divergence is full from the first step.
    KlWarmUpOff,
    /// The weight of the KL divergence never starts over.
    KlCyclesOff,
    /// β is 1.
    BetaOff,
    /// The learning rate is full from the first step.
    WarmUpOff,
    /// The learning rate stays as it is.
    DecayOff,
    /// Gradients are never clipped.
    ClippingOff,
    /// Each tensor's gradient is clipped by its own norm.
    ClippedByTensor,
    /// Moments are not corrected for their start at 0.
    CorrectionOff,
    /// Moments are corrected for other decay rates than those they decay with: for those before they were rounded to f32.
    CorrectionUnrounded,
    /// ε is added before √v is corrected (Kingma and Ba 2015, the end of section 2).
    EpsilonBeforeCorrection,
    /// Codes are drawn with the noise of the next step.
    NoiseOfAnotherStep,
    /// Codes are drawn from the stream of another tensor.
    NoiseOfAnotherStream,
    /// The sine is taken for the cosine.
    NoiseSwapped,
    /// Rows that pad the last batch count as well.
    PaddingCounts,
    /// The mean over a short batch is taken as if it were a whole one.
    ShortBatchAsWhole,
    /// The rows come in the order of the next epoch.
    OrderOfAnotherEpoch,
    /// The rows come as they are stored.
    OrderOfTheFile,
    /// Greys stay grey.
    GreysKept,
    /// Greys are drawn as they were in the first step.
    BinarisedOnce,
    /// Pictures stay as they are.
    PicturesKept,
    /// Pictures are changed as they were in the first step.
    PicturesChangedOnce,
    /// Pictures are not shifted.
    ShiftForgotten,
    /// σ is 1.
    SigmaOff,
    /// The squared error is halved.
    ErrorHalved,
    /// The KL divergence has no part in the gradient of ln σ².
    KlForgetsVariance,
    /// Held-out greys stay grey.
    HeldOutGrey,
    /// Held-out greys are drawn as the seed of the run decides.
    HeldOutDrawnByTheSeed,
    /// The noise of the evaluation is that of the training.
    EvaluatedWithTrainingNoise,
    /// The means of batches count alike in an epoch's, however few rows they have.
    MeanOfMeans,
}
