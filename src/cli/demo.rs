//! `elbo demo`.

use super::args::{DemoArgs, TrainArgs};
use super::style::typed;
use super::train;
use crate::error::Result;

/// What it trains on.
const DATA: &str = "digits";
/// Two, so that all that the model knows can be drawn as a map.
const LATENT: usize = 2;

/// Trains the demonstration: an ordinary run that needs no file.
pub fn run(args: &DemoArgs) -> Result<()> {
    let mut training = TrainArgs { out: args.out.clone(), ..TrainArgs::default() };
    training.settings.data.source = Some(DATA.to_string());
    training.settings.model.latent = Some(LATENT);
    training.settings.device.device = Some(args.device.clone());
    println!(
        "The program comes with 1,797 handwritten digits, 8x8 pixels each. A model now learns to describe\n\
         each by {LATENT} numbers, and to draw it again from those. It is the same as:\n\
         {} train --data {DATA} --latent {LATENT}\n",
        typed()
    );
    let folder = train::alone(&training)?;
    let folder = folder.display();
    println!(
        "\nLook at {folder}/manifold.png first: a map of all digits that the model can draw. In latent.png\n\
         each dot is a digit of the data, where the model puts it, in the colour of its class. report.html has\n\
         both and more in one page, with sliders that draw.\n\n\
         Three things to do next:"
    );
    let next = [
        (format!("sample {folder} --count 100 --out new.png"), "100 digits that nobody has written"),
        (format!("evaluate {folder}"), "how good it is, in numbers"),
        ("train --data PATH".to_string(), "your own pictures, or a table"),
    ];
    let width = next.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    for (command, what) in next {
        println!("  {} {command:<width$}   {what}", typed());
    }
    Ok(())
}
