//! `elbo train --tensorboard`: event files, read record by record.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::common::protobuf::Message;
use crate::program::{Place, small};
use crate::records;

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc: u32, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
}

/// The messages of a file, up to where it ends; whether it ends with a whole one.
fn messages(bytes: &[u8]) -> (Vec<Message>, bool) {
    let (mut all, mut rest) = (vec![], bytes);
    while let Some((head, behind)) = rest.split_at_checked(12) {
        let length = u64::from_le_bytes(head[..8].try_into().unwrap()) as usize;
        let Some((record, after)) = behind.split_at_checked(length + 4) else { return (all, false) };
        let (message, sum) = record.split_at(length);
        for (of, sum) in [(&head[..8], &head[8..]), (message, sum)] {
            let crc = crc32c(of);
            let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
            assert_eq!(masked, u32::from_le_bytes(sum.try_into().unwrap()), "the checksum of {} bytes", of.len());
        }
        all.push(Message::read(message));
        rest = after;
    }
    (all, rest.is_empty())
}

/// The event files of a run, in the order of their names.
fn files(place: &Place) -> Vec<PathBuf> {
    let folder = fs::read_dir(place.path("run/tensorboard")).expect("a folder");
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// Numbers by tag and step.
fn numbers(events: &[Message]) -> BTreeMap<(String, u64), f32> {
    let of = |event: &Message| -> Vec<((String, u64), f32)> {
        let values = event.messages(5).iter().flat_map(|summary| summary.messages(1)).collect::<Vec<Message>>();
        values.iter().filter_map(|value| Some(((value.text(1), event.number(2)), value.float(2)?))).collect()
    };
    events.iter().flat_map(of).collect()
}

#[test]
fn crc_of_the_standard() {
    // RFC 3720, appendix B.4.
    assert_eq!([crc32c(&[0; 32]), crc32c(&[0xff; 32])], [0x8a91_36aa, 0x62a8_ab43]);
}

#[test]
fn figures_are_those_of_the_run_and_resuming_begins_another_file() {
    let place = Place::new();
    place.train("run", "--tensorboard --log-every 1");
    let [file] = &files(&place)[..] else { panic!("{:?}", files(&place)) };
    let bytes = fs::read(file).expect("a file");
    let (events, whole) = messages(&bytes);
    assert!(whole && events[0].text(3) == "brain.Event:2");
    let found = numbers(&events);
    let steps = records(&place, "run/steps.jsonl");
    assert!(steps.len() > 3);
    for step in &steps {
        for name in ["loss", "kl", "learning_rate"] {
            let key = (format!("step/{name}"), step["step"].as_u64().unwrap());
            assert_eq!(f64::from(found[&key]), step[name].as_f64().unwrap() as f32 as f64, "{key:?}");
        }
    }
    let last = steps.len() as u64;
    for record in records(&place, "run/metrics.jsonl") {
        let key = (format!("elbo/{}", record["split"].as_str().unwrap()), last);
        assert_eq!(found[&key], record["elbo"].as_f64().unwrap() as f32, "{key:?}");
    }
    // Pictures stand there as their files.
    let pictures = events.iter().flat_map(|event| event.messages(5)).flat_map(|summary| summary.messages(1));
    let samples = pictures.into_iter().find(|value| value.text(1) == "pictures/samples").expect("samples").message(4);
    let file_of = fs::read(place.path("run/samples.png")).expect("a file");
    assert_eq!(samples.all(4).next().unwrap().bytes(), file_of);
    let size = image::load_from_memory(&file_of).unwrap();
    assert_eq!([samples.number(1), samples.number(2)], [u64::from(size.height()), u64::from(size.width())]);

    // A file that was cut off is whole up to there, and one of which a bit was changed is told apart.
    let (some, whole) = messages(&bytes[..bytes.len() / 2]);
    assert!(!whole && !some.is_empty() && some.len() < events.len());
    let mut changed = bytes.clone();
    changed[20] ^= 1;
    assert!(std::panic::catch_unwind(|| messages(&changed)).is_err());

    // Going on says from which step on, without being asked to.
    place.run("train --resume run --device cpu --epochs 2");
    let [before, after] = &files(&place)[..] else { panic!("{:?}", files(&place)) };
    assert_eq!(fs::read(before).expect("a file"), bytes);
    let (events, _) = messages(&fs::read(after).expect("a file"));
    assert_eq!((events[1].message(7).number(1), events[1].number(2)), (1, last + 1));
    assert!(numbers(&events).keys().all(|(_, step)| *step > last));
    assert!(numbers(&events).contains_key(&("elbo/test".to_string(), 2 * last)));
}

#[test]
fn without_being_asked_for_there_are_none() {
    let place = Place::new();
    place.train("run", "");
    assert!(!place.path("run/tensorboard").exists());
    place.write("other/tensorboard", "a file");
    place.refused(&format!("train {} --out other --tensorboard=yes", small("")), &["tensorboard"]);
}
