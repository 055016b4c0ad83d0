# Made of the library's declarations by tests/stub.py; a test holds it to them.
from typing import Any, NamedTuple, TypedDict

class Setting(NamedTuple):
    name: str
    table: str
    takes: str
    help: str

class Piece(NamedTuple):
    setting: str
    name: str
    title: str
    formula: str
    source: str

class Settings(TypedDict, total=False):
    preset: str | int | None
    """Settings that go well together, from which the others depart"""
    validation: int | None
    """Rows held out of training to choose settings by"""
    binarise: str | int | None
    """Whether pixels become black or white"""
    condition: str | int | None
    """What a model that is told something of every row (--model cvae) is told"""
    labels: int | None
    """Rows whose labels are used, as many of each class, chosen by the seed; those of the rest are not looked at"""
    levels: int | None
    """How many whole numbers pixels are among, from 0: 256 for bytes, 17 for numbers from 0 to 16"""
    standardise: bool | None
    """Whether columns of an array of vectors, or channels of pictures, are scaled to mean 0 and standard deviation 1 over the training rows [default: columns that are not all from 0 to 1, where the likelihood is one of any values]"""
    model: str | int | None
    """Which kind of model; `elbo models` lists them"""
    encoder: str | int | None
    """The hidden layers of the encoder; `elbo models` lists the networks"""
    decoder: str | int | None
    """The hidden layers of the decoder [default: those of the encoder the other way round]"""
    hidden: list[int] | None
    """Units of each hidden layer of the encoder, from the data inwards: short for --encoder mlp:N,N..."""
    decoder_hidden: list[int] | None
    """Units of each hidden layer of the decoder, from the code outwards: short for --decoder mlp:N,N..."""
    activation: str | int | None
    """The nonlinearity of every hidden layer: short for the setting activation of encoder and decoder"""
    latent: int | None
    """Dimensions of the latent space: how many numbers a code has"""
    likelihood: str | int | None
    """How the distance of a row from its reconstruction is measured"""
    sigma: float | None
    """Short for --likelihood gaussian:sigma=X, its standard deviation in the units of the data"""
    posterior: str | int | None
    """The family of densities q(z|x) that codes are drawn from; `elbo models` lists them"""
    prior: str | int | None
    """The density p(z) of codes before anything is seen; `elbo models` lists them"""
    missing_mechanism: str | int | None
    """Why values are missing, where rows have gaps; `elbo models` lists the mechanisms"""
    network_weights: str | int | None
    """What is known of the weights of networks: a number each, or a density q(w); `elbo models` lists them"""
    objective: str | int | None
    """What is minimised; `elbo models` lists them"""
    beta: float | None
    """Weight of the KL term in the loss"""
    alpha: float | None
    """Weight of the classification of labelled rows in the loss (--model m2)"""
    upper: list[int] | None
    """Dimensions of the stochastic layers above the first, from the lower to the upper [default: half of --latent]"""
    epochs: int | None
    """Passes over the training rows"""
    batch: int | None
    """Rows per step"""
    accumulate: int | None
    """Batches whose gradients are averaged before the weights are moved"""
    optimiser: str | int | None
    """How weights are moved along their gradients; `elbo models` lists the optimisers"""
    learning_rate: float | None
    """Size of the optimiser's steps"""
    schedule: str | int | None
    """How the learning rate goes on after the warm-up"""
    warmup_steps: int | None
    """Steps of the optimiser over which the learning rate grows from 0"""
    step_every: int | None
    """Epochs between two reductions, with --schedule step"""
    step_factor: float | None
    """What the learning rate is then multiplied with"""
    kl_warmup_epochs: int | None
    """Epochs over which the weight of the KL term grows from 0 to beta"""
    kl_cycle_epochs: int | None
    """Epochs after which the weight of the KL term starts over from 0; 0 for never"""
    clip_norm: float | None
    """The most the gradient's norm may be; longer ones are scaled down [default: no limit]"""
    skip_norm: float | None
    """The gradient's norm above which a step moves nothing; 0 for none"""
    average: float | None
    """Decay of the running mean of the weights that is used in place of them; 0 for none"""
    swag: int | None
    """Columns of the covariance that a Gaussian over the weights gets from the last epochs, as 20; 0 for no such Gaussian"""
    swag_start: float | None
    """The share of the epochs that passes before the first whose weights --swag takes"""
    beta1: float | None
    """Short for --optimiser adam:beta1=X, the decay of the gradient's running mean"""
    beta2: float | None
    """Short for --optimiser adam:beta2=X, the decay of the running mean of its square"""
    epsilon: float | None
    """Short for --optimiser adam:epsilon=X, what is added to the denominator"""
    augment: str | int | None
    """How pictures are changed at random each time they are learnt from: flip, flip-vertical, shift=N, crop=N [default: not at all]"""
    corrupt: str | int | None
    """How rows are corrupted on their way into the encoder, which learns to clean them; `elbo models` lists the ways [default: not at all]"""
    class_balance: bool | None
    """Whether training rows are weighed so that all classes count alike, however many rows each has"""
    seed: int | None
    """Decides all that is random; the same seed gives the same run"""
    members: int | None
    """Models that are trained alike but for what is random, as one ensemble"""
    member: int | None
    """Which of the --members alone is trained, as a run of its own, counted from 1 [default: all, one after the other]"""
    patience: int | None
    """Epochs without a better loss of the validation rows after which training ends [default: all epochs are done]"""
    log_every: int | None
    """Steps between two records of the loss"""
    checkpoint_every: int | None
    """Epochs between two checkpoints, from which --resume goes on"""
    checkpoint_minutes: float | None
    """Minutes after which a checkpoint is written within an epoch, too"""
    retries: int | None
    """How often a run whose numbers run away goes back to its last checkpoint and goes on with a quarter of the learning rate; 0 for never"""
    steps_per_submit: int | None
    """Steps sent to the device at once; with a number, no clock decides that [default: measured]"""
    device: str | int | None
    """Where to compute: auto, cpu, cpu-exact, gpu, or a number or part of a name from `elbo devices`"""
    devices: str | int | None
    """Devices that share the training, such as 0,1 or cpu,cpu: each has a part of every batch [default: --device alone]"""
    deterministic: bool | None
    """Never choose kernels by timing them, so that a seed gives the same bits again"""

SETTINGS: dict[str, Setting]
TYPES: dict[str, str]

def settings() -> list[Setting]: ...
def pieces() -> list[Piece]: ...
def given(params: dict[str, Any]) -> list[tuple[str, Any]]: ...
def plain(value: Any) -> Any: ...
def parameters() -> str: ...
def stub() -> str: ...
