//! Second stages and fitted priors, from the command line.

use crate::program::{Place, small, with};
use crate::records;

/// A small second stage on the run `first`, or what the options say.
fn second(options: &str) -> String {
    format!("train {}", with("--second-stage first --device cpu --epochs 2 --hidden 16 --batch 16", options))
}

#[test]
fn a_second_stage_is_a_run_of_its_own() {
    let place = Place::new();
    place.train("first", "--latent 3 --seed 5");
    let said = place.run(&second("--out run"));
    assert!(said.contains("on codes of") && said.contains("frozen"), "{said}");
    let settings = std::fs::read_to_string(place.path("run/config.toml")).unwrap();
    for line in ["[first-stage.model]", "seed = 5", "latent = 3", "likelihood = \"gaussian-shared\"", "count = 100"] {
        assert!(settings.contains(line), "{line}\n{settings}");
    }
    place.run(&second("--latent 2 --schedule constant --out shorter"));
    // From here on, the first run is not needed.
    std::fs::rename(place.path("first"), place.path("gone")).unwrap();
    let found: serde_json::Value = serde_json::from_str(&place.run("evaluate run --device cpu --json")).unwrap();
    let last = records(&place, "run/metrics.jsonl").into_iter().rfind(|r| r["split"] == "test").unwrap();
    assert_eq!(found["elbo"], last["elbo"]);
    let [elbo, nll] = [found["elbo"].as_f64().unwrap(), found["importance"]["nll"].as_f64().unwrap()];
    assert!(nll < -elbo, "{nll} is no tighter than {elbo}");
    place.run("sample run --device cpu --count 9 --out new.png");
    place.run("reconstruct run --device cpu --count 4 --out pairs.png");
    place.run("train --resume shorter --epochs 3");
    place.run("train --config run/config.toml --print-config");
    let said = place.run("models second-stage");
    assert!(said.contains("Dai & Wipf 2019") && said.contains("--second-stage"), "{said}");
}

/// Whether something can stand on a model is asked of the rows that it has learnt: of a network for pictures, and of a likelihood of colours.
#[test]
fn a_second_stage_stands_on_a_model_of_pictures() {
    let place = Place::new();
    let values: Vec<f32> = (0..40 * 48).map(|i| (i * 37 % 256) as f32 / 255.0).collect();
    place.write_array("colours.npy", &[4, 4, 3], &values);
    place.run(
        "train --device cpu --data colours.npy --validation 8 --encoder conv:4,hidden=6 --latent 3 --batch 8 --epochs 1 --out first \
         --likelihood discretized-logistic-mixture:components=2,channels=3",
    );
    place.run("train --second-stage first --device cpu --hidden 8 --batch 8 --epochs 1 --out second");
    place.run("sample second --device cpu --count 4 --out new.png");
    place.run(
        "train --device cpu --data colours.npy --validation 8 --model very-deep:blocks=1,1,width=4,inner=2,channels=2 --batch 8 --epochs 1 \
         --out deep",
    );
    place.refused("train --second-stage deep --out x", &["no second stage can stand on", "kind very-deep"]);
}

#[test]
fn a_resumed_second_stage_gives_the_bits_of_a_whole_one() {
    let place = Place::new();
    place.train("first", "");
    for (name, epochs) in [("whole", 3), ("run", 1)] {
        place.run(&second(&format!("--schedule constant --epochs {epochs} --out {name}")));
    }
    std::fs::remove_dir_all(place.path("first")).unwrap();
    place.run("train --resume run --epochs 3");
    let bytes = |name: &str| std::fs::read(place.path(name).join("checkpoint.safetensors")).unwrap();
    assert!(bytes("run") == bytes("whole"));
}

#[test]
fn second_stages_that_are_refused() {
    let place = Place::new();
    place.train("first", "");
    place.train("plain", "--model ae");
    place.train("told", "--model cvae");
    place.train(
        "discrete",
        "--latent 4 --posterior gumbel-softmax:categories=2 --prior uniform-categorical:categories=2",
    );
    place.run(&second("--out second"));
    std::fs::create_dir(place.path("empty")).unwrap();
    let good = std::fs::read(place.path("first/checkpoint.safetensors")).unwrap();
    let config = std::fs::read(place.path("first/config.toml")).unwrap();
    place.write("torn/config.toml", &config);
    place.write("torn/checkpoint.safetensors", &good[..good.len() - 9]);
    place.write("other/config.toml", String::from_utf8_lossy(&config).replace("hidden=16", "hidden=17"));
    place.write("other/checkpoint.safetensors", &good);
    for (options, words) in [
        ("--second-stage nowhere", &["nowhere does not exist"][..]),
        ("--second-stage empty", &["empty holds no config.toml"]),
        ("--second-stage first/config.toml", &["is a file"]),
        ("--second-stage plain", &["plain", "kind ae", "codes with a density"]),
        ("--second-stage told", &["told", "kind cvae", "told something of every row"]),
        ("--second-stage discrete", &["variables of 2 categories", "real numbers"]),
        ("--second-stage second", &["second is a second stage itself"]),
        ("--second-stage torn", &["torn/checkpoint.safetensors", "cut off"]),
        ("--second-stage other", &["other/checkpoint.safetensors", "another architecture"]),
        ("--second-stage first --model ae", &["plain autoencoder", "leave it out"]),
        ("--second-stage first --likelihood bernoulli", &["codes", "bernoulli", "gaussian-shared"]),
        ("--second-stage first --sigma 0.1", &["gaussian-shared", "no setting `sigma`"]),
        ("--second-stage first --resolution 9", &["9×9", "8×8"]),
        ("--second-stage first --resume second", &["--second-stage", "--resume"]),
    ] {
        place.refused(&format!("train {options} --batch 16 --device cpu --out run"), words);
    }
    // Settings that name a run which holds another model by now.
    let settings = std::fs::read_to_string(place.path("second/config.toml")).unwrap();
    let (before, after) = settings.split_once("[first-stage.model]").unwrap();
    place.write("changed.toml", format!("{before}[first-stage.model]{}", after.replace("latent = 2", "latent = 3")));
    place.refused("train --config changed.toml --device cpu --out run", &["holds another model by now"]);
    place.write("unknown.toml", "[first-stage]\nrum = 3\n");
    place.refused("train --config unknown.toml --out run", &["`rum` in [first-stage]", "did you mean `run`"]);
    // What a preset says of data is not about a second stage.
    place
        .run("train --second-stage first --preset classic --hidden 8 --epochs 1 --batch 16 --device cpu --out classic");
}

#[test]
fn a_prior_is_fitted_after_training() {
    let place = Place::new();
    place.train("run", "--count 300 --validation 30");
    let said = place.run("fit-prior run --epochs 2 --device cpu");
    assert!(said.contains("-ln p(z)") && said.contains("ELBO") && said.contains("run-mixture"), "{said}");
    for name in ["config.toml", "checkpoint.safetensors", "metrics.jsonl", "samples.png", "loss.png"] {
        assert!(place.path("run-mixture").join(name).is_file(), "{name}");
    }
    let line = place.run("fit-prior run --prior realnvp:length=2,hidden=8 --epochs 1 --device cpu --out flow --json");
    let found: serde_json::Value = serde_json::from_str(&line).expect("one JSON object and nothing else");
    assert!(found["before_figures"]["cross_entropy"].is_number() && found["after"] == "realnvp:hidden=8,length=2");
    let evaluated: serde_json::Value =
        serde_json::from_str(&place.run("evaluate flow --device cpu --json --quick")).unwrap();
    let far = evaluated["elbo"].as_f64().unwrap() - found["after_figures"]["elbo"].as_f64().unwrap();
    assert!(far.abs() < 0.5, "{far}");
    let said = place.run("fit-prior run --prior diffusion:steps=4,hidden=8,layers=1 --epochs 1 --device cpu");
    assert!(said.contains("denoising loss") && said.contains("-ln p(z)") && said.contains("a lower bound"), "{said}");
    let said = place.run("evaluate run-diffusion --device cpu --samples 4");
    assert!(said.contains("stands for a lower bound"), "{said}");
    place.run("sample run-diffusion --device cpu --count 9 --seed 3 --out noise.png");
    place.run("sample run-diffusion --device cpu --count 9 --temperature 0.5 --out cold.png");
    place.refused("sample run-diffusion --device cpu --truncate 1 --out less.png", &["diagonal-gaussian"]);
    place.run("sample run-mixture --device cpu --count 9 --out new.png");
    place.run("reconstruct flow --device cpu --count 4 --out pairs.png");
    place.run("train --resume run-mixture --epochs 2");
    place.run("fit-prior run-mixture --prior diagonal-gaussian --epochs 1 --device cpu --out again");
    place.run(&second("--second-stage run-mixture --out on-it"));

    place.train("told", "--model cvae --count 300 --validation 30");
    place.run("fit-prior told --epochs 1 --device cpu");
    place.run("sample told-mixture --device cpu --out labels.png");
}

#[test]
fn priors_that_cannot_be_fitted() {
    let place = Place::new();
    place.train("run", "");
    place.train("plain", "--model ae");
    place.train(
        "discrete",
        "--latent 4 --posterior gumbel-softmax:categories=2 --prior uniform-categorical:categories=2",
    );
    place.train("bits", "--objective free-bits");
    place.run(&second("--second-stage run --out second"));
    for (line, words) in [
        ("nowhere", &["nowhere does not exist"][..]),
        ("plain", &["kind ae", "cannot have its prior fitted"]),
        ("discrete", &["variables of 2 categories"]),
        ("second", &["second stage"]),
        ("run --prior standard-normal", &["`standard-normal` has nothing to fit", "mixture"]),
        ("run --prior uniform-categorical", &["does not go with run"]),
        ("run --prior nonsense", &["prior `nonsense`"]),
        ("run --prior mixture:components=2000", &["2000 Gaussians", "points", "mixture:components="]),
        ("run --out plain", &["plain holds a run already"]),
        ("run --epochs 0", &["--epochs"]),
        ("run --learning-rate -1", &["--learning-rate"]),
        ("bits", &["does not go with bits", "free-bits"]),
    ] {
        place.refused(&format!("fit-prior {line} --device cpu"), words);
    }
}

/// Small pictures whose codes are pictures of 4×4 vectors.
const QUANTISED: &str = "--device cpu --epochs 1 --count 100 --resolution 8 --validation 10 --batch 16 --model vq-vae:codes=16 \
     --encoder resnet:width=8,inner=4,blocks=1,shrink=1,code=spatial --latent 64 --likelihood bernoulli";

#[test]
fn a_quantised_model_draws_with_a_prior_over_its_indices() {
    let place = Place::new();
    let said = place.run(&format!("train {QUANTISED} --out run"));
    assert!(said.contains("Next:") && said.contains("fit-prior run"), "{said}");
    place.refused("sample run --device cpu", &["cannot draw new rows", "`elbo fit-prior run`"]);
    let said = place.run("fit-prior run --prior pixelcnn:channels=8,layers=1 --epochs 1 --device cpu");
    assert!(said.contains("uniform") && said.contains("pixelcnn:channels=8,layers=1"), "{said}");
    assert!(place.path("run-pixelcnn/samples.png").is_file());
    let draw = |options: &str| place.run(&format!("sample run-pixelcnn --device cpu --count 5 {options}"));
    draw("--out new.npy");
    draw("--temperature 0.5 --out cold.npy");
    draw("--seed 1 --out other.npy");
    let bytes = |name: &str| std::fs::read(place.path(name)).unwrap();
    assert!(bytes("new.npy") != bytes("other.npy") && bytes("new.npy") != bytes("cold.npy"));
    let json: serde_json::Value =
        serde_json::from_str(&place.run("evaluate run-pixelcnn --device cpu --json")).expect("JSON");
    let number = |key: &str| json[key].as_f64().unwrap_or_else(|| panic!("{key} of {json}"));
    assert!((number("elbo") + number("reconstruction") + number("kl")).abs() < 1e-3, "{json}");
    // One code a row: its likelihood is the bound.
    let nll = json["importance"]["nll"].as_f64().unwrap();
    assert!((nll + number("elbo")).abs() < 1e-2, "{json}");
    let said = place.run("evaluate run-pixelcnn --device cpu");
    assert!(said.contains("KL(q(z|x) || p(z))") && said.contains("A row has one code"), "{said}");
    place.run("train --resume run-pixelcnn --epochs 2");
    for (line, words) in [
        ("fit-prior run --prior mixture", &["`mixture` is over numbers", "pixelcnn"][..]),
        ("fit-prior run --prior uniform", &["`uniform` has nothing to fit", "pixelcnn"]),
        ("fit-prior run --prior pixelcnn:layers=0", &["`layers`", "from 1 to 64"]),
        ("sample run-pixelcnn --truncate 2", &["cannot be truncated", "pixelcnn"]),
        ("sample run-pixelcnn --temperature -1", &["temperature"]),
    ] {
        place.refused(&format!("{line} --device cpu"), words);
    }
    for (options, words) in [
        ("--prior pixelcnn", &["over indices of quantised codes", "vq-vae"][..]),
        ("--model fsq --latent 6", &["a code of 6 numbers", "multiple of 4"]),
        ("--model fsq:levels=1 --latent 4", &["`levels`", "from 2 to 256"]),
        ("--model fsq:levels=256,256,256 --latent 3", &["product of the levels", "more than 65536"]),
        ("--model vq-vae --beta 2", &["`beta`", "`commitment`"]),
    ] {
        place.refused(&format!("train {options} --device cpu --out other"), words);
    }
}

/// The encoder of these.
const ENCODER: &str = "resnet:width=8,inner=4,blocks=1,shrink=1,code=spatial";

#[test]
fn two_levels_of_codes_are_drawn_and_compressed() {
    let place = Place::new();
    let grey = "--likelihood discretized-logistic";
    let train = |options: &str| {
        let quantised =
            QUANTISED.replace("vq-vae:codes=16", "vq-vae:codes=16,levels=2").replace("--likelihood bernoulli", grey);
        format!("train {quantised} {options}")
    };
    place.run(&train("--out run"));
    let last = records(&place, "run/metrics.jsonl").into_iter().rfind(|r| r["split"] == "train").expect("an epoch");
    for part in ["commitment", "perplexity", "top_perplexity", "codes_used", "top_codes_used"] {
        assert!(last["parts"][part].as_f64() > Some(0.0), "{part}: {last}");
    }
    let said = place.run("evaluate run --device cpu --quick");
    assert!(said.contains("perplexity of the top"), "{said}");
    place.run("encode run --device cpu --out codes.npy --data sprites");
    place.run("reconstruct run --device cpu --count 4 --out pairs.png");
    place.run("export run --device cpu --to run.onnx");
    place.refused("sample run --device cpu", &["cannot draw new rows", "`elbo fit-prior run`"]);
    place.run(
        "fit-prior run --prior pixelcnn:channels=8,layers=1 --epochs 20 --learning-rate 0.01 --out fitted --device cpu",
    );
    place.run("sample fitted --device cpu --count 4 --out new.png");
    let told = |line: &str| -> serde_json::Value { serde_json::from_str(&place.run(line)).expect("JSON") };
    let (before, after) = (told("evaluate run --device cpu --json"), told("evaluate fitted --device cpu --json"));
    // 16 indices of the bottom and 4 of the top, each of 16.
    let kl = |json: &serde_json::Value| json["kl"].as_f64().expect("a number");
    assert!((kl(&before) - 20.0 * 16_f64.ln()).abs() < 1e-2, "{before}");
    assert!(kl(&after) < kl(&before) - 1.0, "{after}");
    let packed = told("compress fitted --data sprites --out rows.elbo --json");
    let unpacked = told("decompress rows.elbo --run fitted --out rows.npy --json");
    assert_eq!(packed["bits_per_dimension"], unpacked["bits_per_dimension"]);
    place.run("compress fitted --data rows.npy --out again.elbo --threads 1");
    let bytes = |name: &str| std::fs::read(place.path(name)).expect("a file");
    assert!(bytes("rows.elbo") == bytes("again.elbo"), "other rows");
    for (usual, other, words) in [
        (ENCODER, "mlp:16", &["two `levels`", "no picture", "resnet:code=spatial"][..]),
        (ENCODER, "resnet:8,inner=4,shrink=1", &["two `levels`", "no picture"]),
        (ENCODER, "resnet:8,inner=4,shrink=3,code=spatial", &["1×1×8", "one pixel", "levels=1"]),
        ("levels=2", "levels=3", &["`levels`", "from 1 to 2"]),
        ("codes=16", "codes=0", &["`codes`"]),
    ] {
        let line = train("--out other");
        assert!(line.contains(usual), "{line}");
        place.refused(&line.replace(usual, other), words);
        assert!(!place.path("other").exists(), "{other}");
    }
}

#[test]
fn scalars_and_residual_codes_are_drawn_and_compressed() {
    let place = Place::new();
    let grey = "--likelihood discretized-logistic";
    for (name, model) in [
        ("scalars", format!("fsq:levels=4,3 --latent 8 {grey}")),
        ("stages", format!("vq-vae:codes=8,vectors=2,residual=2 --latent 8 {grey}")),
    ] {
        place.run(&format!(
            "train {} --prior pixelcnn:channels=8,layers=1 --out {name}",
            small(&format!("--model {model}"))
        ));
        place.run(&format!("sample {name} --device cpu --count 4 --out {name}.png"));
        let json: serde_json::Value =
            serde_json::from_str(&place.run(&format!("evaluate {name} --device cpu --json --quick"))).expect("JSON");
        for part in ["perplexity", "kl", "elbo"] {
            assert!(
                json.get(part).or(json["parts"].get(part)).is_some_and(|value| value.is_number()),
                "{part}: {json}"
            );
        }
        // Rows come back, and compress to the same file.
        let told = |line: String| -> serde_json::Value { serde_json::from_str(&place.run(&line)).expect("JSON") };
        let packed = told(format!("compress {name} --data sprites --out {name}.elbo --json"));
        let unpacked = told(format!("decompress {name}.elbo --run {name} --out {name}.npy --json"));
        assert!(packed["rows"].as_u64() > Some(9) && packed["initial_bits"] == 0, "{packed}");
        assert_eq!(packed["bits_per_dimension"], unpacked["bits_per_dimension"]);
        place.run(&format!("compress {name} --data {name}.npy --out again.elbo --threads 1"));
        let bytes = |name: &str| std::fs::read(place.path(name)).expect("a file");
        assert!(bytes(&format!("{name}.elbo")) == bytes("again.elbo"), "other rows");
    }
    place.refused("decompress scalars.elbo --run stages --out x.npy", &["another model"]);
}
