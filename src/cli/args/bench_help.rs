//! The long help of `elbo bench`: how it measures, and what its figures mean. In lines that fit 80 columns, since lists
//! lose their shape where a terminal breaks them.

/// Behind the options.
pub const TEXT: &str = "\
Examples:
  elbo bench                                 the whole grid
  elbo bench --device gpu --step wide --batch 128,1024,4096
  elbo bench --pieces --seconds 0.3          what each piece costs
  mpirun -n 2 elbo bench --reduction         what it costs to share a step
  elbo bench --json > before.json
  elbo bench --compare before.json

What is measured:
  Training steps of a VAE on random bytes: classic is 784-400-20, wide is
  4096-1200-1200-10; keras, burgess, dcgan and resnet are convolutional
  networks on 28×28, 64×64, and 32×32 in colour; all with ReLU, a Bernoulli
  likelihood and Adam. gan and vae-gan have convolutions with batch
  normalisation and leaky rectifiers; very-deep is the model of that preset,
  with its likelihood and its running mean of weights. Without --step and
  --batch: classic at batches 128 and 1024, wide at 128 and 1000, which takes
  about a minute on two idle processor cores (two minutes on a software
  driver). The data lies on the device; every step gathers a new batch and
  draws new noise.

How:
  After the first step, steps run for a third of a round so that clocks,
  caches and drivers settle. Then come five rounds of a second (--seconds).
  Steps are sent many at once, as many as take about 25 ms, 64 at most; their
  losses are read as they come back, without a wait. A round ends when all its
  steps have. samples/s is the median round, slowest and fastest are the
  extremes: where they lie far apart, something else was running.

The figures:
  cold start    from the start of a process to the end of its first step, with
                empty caches of compiled shaders
  warm start    the same again, with the caches that the cold start has filled
  loss penalty  the time of a step if the host waits for the loss of every
                step, over that if it waits for every tenth; - where steps are
                so long that it cannot matter. Training waits for none
  calls         kernel calls per step
  host          time the calling thread spends on a step without waiting, the
                least of all; a call: the same per kernel call. The CPU
                executor computes in that time, so there it is the step itself
  heap          heap allocations per step: on a GPU those of the graphics
                library, which makes an encoder per submit; on the CPU
                executor those of threads that share a matrix product
  made          buffers, bind groups and pipelines made per step
  waits         times per step that the host, three submits ahead, stopped for
                the device
  memory        what the programs say that all buffers take
  used          what was taken, as a share of that: of the device as its
                allocator tells; on the CPU executor, the growth of the process

  --pieces exchanges one part of the plain VAE at a time, all pieces at their
  usual settings but for vampprior, which has the 500 components of its paper,
  and categorical, which has 16 levels. Rounds of the step with the piece and
  of the plain step are run in turn. cost is a step's time over the plain
  one's, the ratio of the medians; least and most are the extremes of two
  rounds beside each other. waits: times per step that the host stopped for
  the device while it sent steps. Where the plain prior or posterior does not
  go with a piece, the first that does stands in its place, which is said.

  --kernels gives, for each kernel at the sizes of classic, the time of one run
  (the median of five rounds of many runs sent at once), and what it makes of
  the device, beside ceilings that are measured in the same run: arithmetic
  beside fused multiplications and additions on registers, memory beside
  buffers of the same size that are changed in place or read. of its bound is
  the largest share: how near the kernel is to what the device allows (the
  roofline). The draws are timed at 64 MiB as well.

  What is counted on the CPU executor is what its formulas are made of:
  additions, multiplications, comparisons, selections, conversions and
  operations on bits, one each. So e^x is 38 of them, ln x 45, a uniform number
  24 and a normal one 66. Divisions and square roots are counted by themselves,
  beside as many divisions as the processor can make. The ceiling counts a
  fused multiplication and addition as two, and functions fuse nothing: where a
  processor does not add beside multiplying, half of it is all they can reach.
  On a GPU an operation is one, and a function as well, whatever it takes: what
  exponentials and divisions take of the few units that are there for them is
  not counted, and a kernel of many shows less than it makes of the device.

  --compare divides: 1.10 is ten percent faster than the earlier run. worst and
  best are the slowest round now over the fastest then, and the reverse. Where
  1 lies between them, the difference may be noise.

  --json has more: spreads, bytes allocated, memory reserved, the load of the
  machine. Times are in seconds unless a name says microseconds, sizes in
  bytes, rates per second.";
