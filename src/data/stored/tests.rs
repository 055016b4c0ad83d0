use std::fs;
use std::path::Path;

use super::super::{Dataset, Options, Source, open_whole};
use super::*;

/// A file as NumPy writes it.
fn array(path: &Path, descr: &str, shape: &str, data: &[u8]) {
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let text = format!("{text:<117}\n");
    let head = [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat();
    fs::write(path, [head, data.to_vec()].concat()).unwrap();
}

/// Bytes that follow no order.
fn bytes(count: usize) -> Vec<u8> {
    (0..count as u32).map(|i| (i.wrapping_mul(0x9E37_79B9) >> 24) as u8).collect()
}

fn opened(path: &Path, memory: Option<u64>) -> Result<Dataset> {
    open_whole(&Source::Path(path.to_owned()), &Options { memory, ..Options::default() })
}

/// A data set that stays on disk beside the same in memory.
fn both(path: &Path, memory: u64) -> [Dataset; 2] {
    let [stored, held] = [Some(memory), None].map(|memory| opened(path, memory).unwrap());
    assert!(stored.is_stored() && !held.is_stored(), "{}", path.display());
    assert_eq!(stored.labels, held.labels);
    assert_eq!((stored.rows, stored.shape(), stored.storage()), (held.rows, held.shape(), held.storage()));
    [stored, held]
}

#[test]
fn every_format_has_the_rows_on_disk_that_it_has_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let npy = |name: &str, descr: &str, shape: &str, data: &[u8]| {
        let path = folder.path().join(name);
        array(&path, descr, shape, data);
        path
    };
    let floats: Vec<f32> = bytes(600).iter().map(|&byte| f32::from(byte) - 100.5).collect();
    let emnist = folder.path().join("emnist");
    fs::create_dir(&emnist).unwrap();
    let head = [0, 0, 8, 3, 0, 0, 0, 50, 0, 0, 0, 3, 0, 0, 0, 4];
    fs::write(emnist.join("emnist-letters-train-images-idx3-ubyte"), [&head[..], &bytes(600)].concat()).unwrap();
    let shorts = folder.path().join("shorts.idx");
    fs::write(&shorts, [&[0, 0, 0x0b, 2, 0, 0, 0, 100, 0, 0, 0, 6][..], &bytes(1200)].concat()).unwrap();
    let cifar = folder.path().join("cifar");
    fs::create_dir(&cifar).unwrap();
    for (name, count) in [("data_batch_1.bin", 3), ("data_batch_2.bin", 2)] {
        let records = (0..count).flat_map(|i| [vec![i as u8 + 4], bytes(3072 * (i + 1))[3072 * i..].to_vec()].concat());
        fs::write(cifar.join(name), records.collect::<Vec<_>>()).unwrap();
    }
    let paths = [
        npy("a.npy", "<f4", "(60, 10)", &floats.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>()),
        npy("b.npy", ">f8", "(60, 10)", &floats.iter().flat_map(|v| f64::from(*v).to_be_bytes()).collect::<Vec<_>>()),
        npy("c.npy", "<i2", "(60, 5, 2)", &bytes(1200)),
        npy("d.npy", "|u1", "(60, 10)", &bytes(600)),
        npy("e.npy", "|u1", "(60, 10)", &bytes(600).iter().map(|byte| byte % 2 * 255).collect::<Vec<_>>()),
        npy("f.npy", "|u1", "(60, 10)", &bytes(600).iter().map(|byte| byte % 2).collect::<Vec<_>>()),
        npy("g.npy", "|b1", "(60, 40)", &bytes(2400).iter().map(|byte| byte % 2).collect::<Vec<_>>()),
        npy("h.npy", "|u1", "(8, 3, 5, 6)", &bytes(720)),
        emnist.join("emnist-letters"),
        shorts,
        cifar,
    ];
    for path in paths {
        let [stored, held] = both(&path, 700);
        let rows = |data: &Dataset| (0..data.rows).map(|row| data.row(row)).collect::<Vec<_>>();
        assert_eq!(rows(&stored), rows(&held), "{}", path.display());
        // Words as a device is given them, also of a part, and of rows that were chosen.
        let features = held.shape().features();
        let words = |data: &Dataset, rows: Range<usize>| data.values.words(rows, features).unwrap().into_owned();
        for some in [0..held.rows, 1..4] {
            assert_eq!(words(&stored, some.clone()), words(&held, some), "{}", path.display());
        }
        let chosen: Vec<usize> = (0..held.rows).filter(|row| row % 7 != 3).collect();
        let [stored, held] = [&stored, &held].map(|data| data.subset(&chosen));
        assert!(stored.is_stored());
        assert_eq!(words(&stored, 0..chosen.len()), words(&held, 0..chosen.len()), "{}", path.display());
        assert_eq!((rows(&stored), &stored.labels), (rows(&held), &held.labels), "{}", path.display());
        // Few enough to be kept in memory.
        let few = stored.subset(&[2]);
        assert!(few.is_stored() || few.values == held.subset(&[2]).values, "{}", path.display());
        assert_eq!(stored.is_black_and_white(), held.is_black_and_white(), "{}", path.display());
        let (low, high) = match &stored.values {
            Values::Stored(stored) => stored.range(),
            _ => unreachable!("it was said to stay on disk"),
        };
        assert!(rows(&held).iter().flatten().all(|value| (low..=high).contains(value)), "{}", path.display());
    }
}

#[test]
fn what_cannot_stay_on_disk_is_refused_with_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    array(&path("a.npy"), "<f4", "(100, 10)", &[0; 4000]);
    let whole = fs::read(path("a.npy")).unwrap();
    let fortran = String::from_utf8_lossy(&whole[..128]).replace("False", "True ").into_bytes();
    // The first byte is no UTF-8.
    fs::write(path("fortran.npy"), [&whole[..1], &fortran[fortran.len() - 127..], &whole[128..]].concat()).unwrap();
    let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &whole).unwrap();
    fs::write(path("packed.npy.gz"), packed.finish().unwrap()).unwrap();
    let lines = (0..500).map(|i| format!("{}.5,{}.25\n", i % 37, i % 41));
    fs::write(path("table.csv"), ["a,b\n".to_owned()].into_iter().chain(lines).collect::<String>()).unwrap();
    for (name, why) in [
        ("fortran.npy", "ascontiguousarray"),
        ("packed.npy.gz", "unpack it"),
        ("table.csv", "tables are held in memory"),
    ] {
        let said = opened(&path(name), Some(3000)).unwrap_err().to_string();
        assert!(said.contains(why) && said.contains("--memory") && said.contains(name), "{said}");
        assert!(opened(&path(name), Some(1_000_000)).is_ok(), "{name}");
    }
    // A value that is no number is found before any step.
    let mut broken = whole;
    broken[128 + 4 * 517..][..4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(path("a.npy"), broken).unwrap();
    let said = opened(&path("a.npy"), Some(3000)).unwrap_err().to_string();
    assert!(said.contains("NaN in row 51, column 7"), "{said}");
}

#[test]
fn a_file_that_changes_is_no_longer_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    array(&path, "<f4", "(100, 10)", &[0; 4000]);
    let data = opened(&path, Some(3000)).unwrap();
    assert!(data.values.words(0..3, 10).is_ok());
    array(&path, "<f4", "(100, 10)", &[1; 4001]);
    let said = data.values.words(0..3, 10).unwrap_err().to_string();
    assert!(said.contains("has changed since it was opened"), "{said}");
    assert!(data.row(5).iter().all(|value| value.is_nan()));
}
