//! The engine by itself: maths on tensors, their gradient, and both as one program of a few kernels:
//! `cargo run --release --example engine`.

use elbo::engine::cpu::Cpu;
use elbo::engine::graph::Graph;
use elbo::engine::kernels::{Step, Traits, readable};
use elbo::engine::program::{Executor, Request, lower};

pub fn main() -> elbo::Result<()> {
    let graph = Graph::new();
    let x = graph.input("x", &[2, 3]);
    let loss = (x.softplus() + 0.5 * x.square()).sum(&[1]);
    let gradient = loss.gradients(&[x])[0];

    let mut request = Request::new("example", &graph);
    request.outputs = vec![("loss", loss), ("gradient", gradient)];
    let program = lower(&request);
    for call in &program.calls {
        println!("{}: {}\n", call.kernel.name(), call.label);
        // What a GPU is given, without the declarations.
        let text = call.kernel.module(&Traits::default(), 0).text;
        println!("{}", readable(&text[text.find("@compute").unwrap_or(0)..]));
    }

    let outputs = program.outputs.clone();
    let buffers: Vec<String> = program.buffers.iter().map(|buffer| buffer.name.clone()).collect();
    let mut device = Cpu::new();
    let id = device.load(program)?;
    let input = [-1.0, 0.0, 1.0, 2.0, -3.0, 0.5];
    device.write_f32("input.x", &input)?;
    device.run(id, &[Step::default()])?;
    for output in outputs {
        let slice = output.slice;
        let values = &device.read_f32(&buffers[slice.buffer])?[slice.offset..][..slice.words];
        println!("{} {:?}: {values:.4?}", output.name, output.shape);
        if output.name == "gradient" {
            // By hand: the derivative is sigmoid(x) + x.
            let by_hand = input.map(|x: f32| 1.0 / (1.0 + (-x).exp()) + x);
            assert!(values.iter().zip(by_hand).all(|(found, hand)| (found - hand).abs() < 1e-6));
        }
    }
    Ok(())
}
